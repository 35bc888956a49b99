import { useEffect, useId, useRef, useState } from "preact/hooks";
import { moveFocus } from "../controls/move-focus.js";
import type { CodeEditor, TextFault } from "./code-editor.js";
import type { PlaygroundModel } from "./playground-model.js";
import { ruleFromText, RuleTextError } from "./rule-text.js";
import { ruleProgram } from "./rule-text-of.js";
import { keptSettings } from "./runner-edits.js";

interface RuleEditorProps {
  readonly model: PlaygroundModel;
  /** The name of the rule. */
  readonly name: string;
}

/** The text of a rule. Each change that is a rule races at once; one that is not is shown at its line and column. */
export function RuleEditor({ model, name }: RuleEditorProps) {
  const id = useId();
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<CodeEditor>(undefined);
  const [fault, setFault] = useState<TextFault>();
  const [notice, setNotice] = useState("");

  useEffect(() => {
    let isGone = false;
    const change = (text: string): void => {
      const found = faultOf(model, name, text);
      setFault(found);
      setNotice("");
      editor.current?.mark(found);
    };
    void import("./code-editor.js").then(({ createCodeEditor }) => {
      if (isGone) return;
      place.current!.replaceChildren();
      const label = `The text of the rule ${name}`;
      const { [name]: text } = model.state.peek().rules;
      editor.current = createCodeEditor(place.current!, text, label, change);
      change(text);
      if (model.hasOpenedEditor) {
        place.current!.closest("section")!.scrollIntoView({ block: "nearest" });
        editor.current.focus();
      }
    });
    return () => {
      isGone = true;
      editor.current?.destroy();
      editor.current = undefined;
    };
  }, [name]);

  const copy = async (): Promise<void> => {
    const program = ruleProgram(name, model.state.value.rules[name]);
    try {
      await navigator.clipboard.writeText(program);
      setNotice("Copied: a call of defineRule, for a program of your own.");
    } catch {
      // Forbidden, or missing where the context is not secure.
      setNotice("The browser did not let the page copy it.");
    }
  };
  return (
    <section class="playground-editor" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>The rule {name}</h2>
      <p>
        Change the mathematics: <code>p</code> is the parameter, <code>g</code> its gradient,{" "}
        <code>u</code> the update, <code>t</code> the number of the step. What is per step is
        computed once, in 64 bits; what is per element on the backend, in 32 bits.
      </p>
      <div ref={place} class="playground-code">
        <p>The editor is loading.</p>
      </div>
      <p role="status" class={fault === undefined ? "playground-valid" : "playground-error"}>
        {fault === undefined
          ? "The text is a rule, and races."
          : `Line ${fault.line}, column ${fault.column}: ${asSentence(fault.message)} The last text that was a rule still races.`}
      </p>
      <div class="playground-row">
        {fault !== undefined && (
          <button type="button" onClick={() => editor.current?.goTo(fault)}>
            Go to line {fault.line}
          </button>
        )}
        <button type="button" onClick={() => void copy()}>
          Copy as TypeScript
        </button>
        <button
          type="button"
          onClick={({ currentTarget }) => {
            model.edit(undefined);
            const page = currentTarget.closest(".demo")!;
            moveFocus(page, ".playground-runner[open] summary", ".playground-runner summary");
          }}
        >
          Close the editor
        </button>
        <span role="status">{notice}</span>
      </div>
    </section>
  );
}

function asSentence(message: string): string {
  return /[.?]$/.test(message) ? message : `${message}.`;
}

/** What is wrong with a text; one that is a rule becomes that of the name. */
function faultOf(model: PlaygroundModel, name: string, text: string): TextFault | undefined {
  try {
    const rule = ruleFromText(name, text);
    const { rules, runners } = model.state.peek();
    if (rules[name] === text) return undefined;
    model.update({
      rules: { ...rules, [name]: text },
      runners: runners.map((runner) => ({
        ...runner,
        parts: runner.parts.map((part) =>
          part.name === name ? { ...part, settings: keptSettings(part.settings, rule) } : part,
        ),
      })),
    });
    return undefined;
  } catch (error) {
    if (error instanceof RuleTextError) return error;
    throw error;
  }
}
