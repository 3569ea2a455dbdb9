// Rules of every operator that the engine knows, with operands of any kind.
const names = ['a', 'b', 'c', 'list', 'text', 'n', 'deep', 'deep.a', 'deep.list.1.a', 'deep.x\\.y', 'list.0', 'nothing', 'targetingKey', '$flagd.flagKey', '']

function fullRule(r, variants) {
  const constant = () => r.pick([null, true, false, 0, 1, -1, 2, 3, 10, 0.5, '', 'a', 'b', '1', ' 2 ', 'pro', 'abc', 'x1', '1.2.3', 'v2', ...variants])
  const operand = (depth, inside) => {
    if (depth <= 0 || r.chance(30)) return r.chance(55) ? variable(inside) : constant()
    if (r.chance(12)) return Array.from({ length: r.below(4) }, () => operand(depth - 1, inside))
    return operation(depth, inside)
  }
  const variable = (inside) => {
    const name = r.pick(inside ? ['', 'a', 'b', ...inside] : names)
    return r.pick([() => ({ var: name }), () => ({ var: [name] }), () => ({ var: [name, constant()] })])()
  }
  const several = (least, most, depth, inside) => Array.from({ length: least + r.below(most - least + 1) }, () => operand(depth - 1, inside))
  const operation = (depth, inside) => {
    const make = r.pick([
      () => ({ if: several(1, 5, depth, inside) }),
      () => ({ [r.pick(['and', 'or'])]: several(1, 3, depth, inside) }),
      () => ({ [r.pick(['!', '!!'])]: [operand(depth - 1, inside)] }),
      () => ({ [r.pick(['==', '!=', '===', '!=='])]: several(2, 2, depth, inside) }),
      () => ({ [r.pick(['<', '<=', '>', '>='])]: several(2, 3, depth, inside) }),
      () => ({ [r.pick(['+', '-', '*', '/', '%', 'max', 'min'])]: several(1, 3, depth, inside) }),
      () => ({ cat: several(1, 3, depth, inside) }),
      () => ({ substr: [operand(depth - 1, inside), r.pick([0, 1, -1, -2, 5]), ...(r.chance(50) ? [r.pick([0, 1, 2, -1, 9])] : [])] }),
      () => ({ in: several(2, 2, depth, inside) }),
      () => ({ merge: several(0, 3, depth, inside) }),
      () => ({ missing: r.some(names.filter((n) => n), 3) }),
      () => ({ missing_some: [r.below(3), r.some(names.filter((n) => n), 3)] }),
      () => ({ [r.pick(['map', 'filter', 'all', 'some', 'none'])]: [operand(depth - 1, inside), operand(depth - 1, [])] }),
      () => ({ reduce: [operand(depth - 1, inside), operand(depth - 1, ['current', 'accumulator', 'current.a']), constant()] }),
      () => ({ [r.pick(['starts_with', 'ends_with'])]: several(1, 3, depth, inside) }),
      () => ({ sem_ver: [operand(depth - 1, inside), r.pick(['=', '!=', '<', '<=', '>', '>=', '^', '~', '==', '']), operand(depth - 1, inside)] }),
      () => variable(inside),
    ])
    return make()
  }
  const leaf = () => r.pick([...variants, null, true, false])
  const rule = (depth) => {
    if (depth === 0 || r.chance(20)) return r.chance(70) ? leaf() : operation(1)
    if (r.chance(15)) return { fractional: [...(r.chance(50) ? [operand(1)] : []), ...Array.from({ length: 1 + r.below(3) }, () => r.pick([[leaf()], [leaf(), r.below(100)], [leaf(), r.pick([-5, 0.5, '3', null])], [], 'x', [leaf(), operand(1)]]))] }
    return r.chance(60) ? { if: [operation(2), rule(depth - 1), rule(depth - 1)] } : { if: [operand(3), rule(depth - 1), operand(2), rule(depth - 1), rule(depth - 1)] }
  }
  const made = rule(3)
  return made !== null && typeof made === 'object' ? made : fullRule(r, variants)
}

module.exports = { fullRule }
