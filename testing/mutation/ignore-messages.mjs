/** Functions whose text arguments become part of an error's message: what is wrong, or whose option it is. */
const messageFunctions =
  /^(?:(?:check|not|without|wrong)[A-Z]\w*|fail|invalid|groupOptions|lookUp|mismatch|onLost|slotValues|translate|unknownParameters)$/;

/** Functions that return a part of a message, and nothing else uses. */
const describingFunctions = /^describe(?:[A-Z]|$)/;

/**
 * Tells Stryker to leave the texts of errors and diagnostics as they are: tests assert codes, not words. Everything
 * else is mutated, the conditions under which an error is thrown and its code, too.
 */
export const strykerPlugins = [
  {
    kind: "Ignore",
    name: "messages",
    value: {
      shouldIgnore(path) {
        const { node, parent, listKey } = path;
        const isArgument = listKey === "arguments";
        const isMessage =
          isTextOnly(node) ||
          isErrorText(path) ||
          isOfErrorTexts(path) ||
          isInErrorFunction(path) ||
          (isText(node) && (isArgument ? takesMessage(parent.callee) : isAdvice(parent)));
        return isMessage ? "text of a message" : undefined;
      },
    },
  },
];

/** Variables with parts of messages only: the messages of all problems, and whose options are wrong. */
const messageVariables = ["messages", "owner"];

/** A function or a variable that messages alone use. */
function isTextOnly({ type, id }) {
  return type === "FunctionDeclaration"
    ? describingFunctions.test(id?.name)
    : type === "VariableDeclarator" && messageVariables.includes(id.name);
}

/** The first argument of an error. */
function isErrorText({ parent, key, listKey }) {
  return (
    listKey === "arguments" &&
    key === 0 &&
    parent.type === "NewExpression" &&
    parent.callee.name?.endsWith("Error") === true
  );
}

/** A variable that nothing but the texts of errors refers to. */
function isOfErrorTexts({ node: { type, id }, scope }) {
  if (type !== "VariableDeclarator" || id.type !== "Identifier") return false;
  const { referencePaths, constant } = scope.getBinding(id.name);
  return (
    constant &&
    referencePaths.length > 0 &&
    referencePaths.every((reference) => reference.find(isErrorText) !== null)
  );
}

/** In a function that makes errors of one code, everything but their options decides on the text alone. */
function isInErrorFunction(path) {
  const made = path.findParent(({ node }) => returnsError(node));
  if (made === null || path.node === made.node.body) return false;
  return path.find(isOptions) === null && !hasOptions(path) && codesOf(made).size === 1;
}

/** Whether it is the second argument of an error. */
function isOptions({ node, parent, key }) {
  return node.type === "ObjectExpression" && parent.type === "NewExpression" && key === 1;
}

function hasOptions(path) {
  let isFound = false;
  path.traverse({
    ObjectExpression(inner) {
      isFound ||= isOptions(inner);
    },
  });
  return isFound;
}

function returnsError({ returnType }) {
  return returnType?.typeAnnotation?.typeName?.name === "GradstepError";
}

/** The codes of the errors in a function, as they are written. */
function codesOf(path) {
  const codes = new Set();
  path.traverse({
    ObjectProperty({ node: { key, value } }) {
      if (key.name === "code") codes.add(value.value);
    },
  });
  return codes;
}

function isText({ type }) {
  return type === "StringLiteral" || type === "TemplateLiteral";
}

function takesMessage(callee) {
  return messageFunctions.test(callee.name) || isDiagnostics(callee);
}

/** `why: "…"`, in tables of options that are refused. */
function isAdvice({ type, key }) {
  return type === "ObjectProperty" && key.name === "why";
}

/** `diagnostics.push`, whoever owns the list, and `misfits.push` of a list of texts. */
function isDiagnostics({ type, object, property }) {
  if (type !== "MemberExpression") return false;
  const owner = nameOf(object.property ?? object);
  return /diagnostics/i.test(owner) || (owner === "misfits" && nameOf(property) === "push");
}

function nameOf({ name, id }) {
  return name ?? id?.name ?? "";
}
