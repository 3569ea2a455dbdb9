// What TypeScript's own parser says a source asks of its environment: one line "file name" for each variable that is
// asked for by its name. The inventory must say the same.
import fs from "node:fs";
import path from "node:path";
import ts from "typescript";

const globals = ["globalThis", "window", "self", "global"];
const methods = ["get", "has"];

/** Without parentheses, casts and "!". */
function bare(node) {
  while (
    ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node) ||
    ts.isSatisfiesExpression(node) || ts.isTypeAssertionExpression(node)
  ) node = node.expression;
  return node;
}

function member(node) {
  if (ts.isPropertyAccessExpression(node)) return ts.isIdentifier(node.name) ? node.name.text : null;
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) return node.argumentExpression.text;
  return null;
}

function isGlobal(node, name) {
  if (ts.isIdentifier(node)) return node.text === name;
  return member(node) === name && ts.isIdentifier(bare(node.expression)) && globals.includes(bare(node.expression).text);
}

/** "Deno", "process" or "import.meta" if the expression is the environment of it. */
function environmentOf(node) {
  node = bare(node);
  if (member(node) !== "env") return null;
  const holder = bare(node.expression);
  if (ts.isMetaProperty(holder)) return holder.keywordToken === ts.SyntaxKind.ImportKeyword ? "import.meta" : null;
  return ["Deno", "process"].find((name) => isGlobal(holder, name)) ?? null;
}

function hasMembers(node) {
  const holder = environmentOf(node);
  return holder !== null && holder !== "Deno";
}

function isWritten(node) {
  const { parent } = node;
  if (ts.isDeleteExpression(parent)) return true;
  return ts.isBinaryExpression(parent) && parent.left === node && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
}

function* namesIn(node) {
  if (member(node) !== null && hasMembers(node.expression) && !isWritten(node)) yield member(node);
  if (ts.isCallExpression(node) && node.arguments.length > 0 && ts.isStringLiteralLike(node.arguments[0])) {
    const called = bare(node.expression);
    if (methods.includes(member(called)) && environmentOf(called.expression) === "Deno") yield node.arguments[0].text;
  }
  if (ts.isVariableDeclaration(node) && node.initializer && ts.isObjectBindingPattern(node.name) && hasMembers(node.initializer)) {
    for (const element of node.name.elements) {
      const key = element.propertyName ?? element.name;
      if (!element.dotDotDotToken && (ts.isIdentifier(key) || ts.isStringLiteral(key))) yield key.text;
    }
  }
  if (
    ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InKeyword && ts.isStringLiteralLike(node.left) &&
    hasMembers(node.right)
  ) yield node.left.text;
}

const folder = process.argv[2];
for (const file of fs.readdirSync(folder).sort()) {
  const kind = file.endsWith(".tsx") ? ts.ScriptKind.TSX : /ts$/.test(file) ? ts.ScriptKind.TS : ts.ScriptKind.JSX;
  const source = ts.createSourceFile(file, fs.readFileSync(path.join(folder, file), "utf8"), ts.ScriptTarget.Latest, true, kind);
  const names = new Set();
  const visit = (node) => {
    for (const name of namesIn(node)) names.add(name);
    ts.forEachChild(node, visit);
  };
  if (source.parseDiagnostics.length === 0) visit(source);
  for (const name of names) console.log(file, name);
}
