/** Functions whose text arguments become part of an error's message: what is wrong, or whose option it is. */
const messageFunctions =
  /^(?:(?:check|not|without|wrong)[A-Z]\w*|fail|invalid|groupOptions|lookUp|mismatch|onLost|slotValues|translate)$/;

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
      shouldIgnore({ node, parent, key, listKey }) {
        if (isTextOnly(node)) return "text of a message";
        const isArgument = listKey === "arguments";
        const isMessage =
          isArgument && parent.type === "NewExpression"
            ? parent.callee.name?.endsWith("Error") && key === 0
            : isText(node) && (isArgument ? takesMessage(parent.callee) : isAdvice(parent));
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

/** `diagnostics.push`, whoever owns the list. */
function isDiagnostics({ type, object }) {
  return type === "MemberExpression" && /diagnostics/i.test(nameOf(object.property ?? object));
}

function nameOf({ name, id }) {
  return name ?? id?.name ?? "";
}
