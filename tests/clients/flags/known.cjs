// Where we differ from the interpreter on purpose. Each row says why; nothing in the portable profile may be here.
function isKnown() {
  return false
}
module.exports = { isKnown }
