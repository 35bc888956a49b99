import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import {
  Decoration,
  EditorView,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from "@codemirror/view";

/** A fault of a text; line and column start at 1. */
export interface TextFault {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** An editor of the text of a rule. */
export interface CodeEditor {
  /** Marks the place of a fault; undefined removes the mark. */
  mark(fault: TextFault | undefined): void;
  /** Puts the cursor at a place, and the focus into the editor. */
  goTo(fault: TextFault): void;
  focus(): void;
  destroy(): void;
}

const words = new MatchDecorator({
  regexp:
    /(\/\/.*)|^(\s*\w+\s*:)|\b(sqrt|abs|sign|min|max|flush|isFinite|floor|f32|newtonSchulz|(?:sum|mean|max|norm)(?:Row|Column|Tensor|All))(?=\()|\b([pgut])\b|(\b\d+(?:\.\d*)?(?:e[+-]?\d+)?)/gi,
  decoration: ([, comment, section, operation, array]) =>
    Decoration.mark({
      class: `rule-${comment !== undefined ? "comment" : section !== undefined ? "section" : operation !== undefined ? "operation" : array !== undefined ? "array" : "number"}`,
    }),
});

const coloredWords = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = words.createDeco(view);
    }
    update(update: ViewUpdate): void {
      this.decorations = words.updateDeco(update, this.decorations);
    }
  },
  { decorations: ({ decorations }) => decorations },
);

/** Makes an editor. Tab leaves it, as everywhere on a page. */
export function createCodeEditor(
  parent: HTMLElement,
  text: string,
  label: string,
  onChange: (text: string) => void,
): CodeEditor {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        history(),
        keymap.of([...defaultKeymap, ...historyKeymap]),
        coloredWords,
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  const offsetOf = ({ line, column }: TextFault): { from: number; to: number } => {
    const found = view.state.doc.line(Math.min(line, view.state.doc.lines));
    const from = Math.min(found.from + column - 1, found.to);
    const word = /^\w+/.exec(found.text.slice(column - 1))?.[0].length ?? 1;
    return { from, to: Math.min(from + word, found.to) };
  };
  return {
    mark: (fault) => {
      const faults =
        fault === undefined
          ? []
          : [{ ...offsetOf(fault), severity: "error" as const, message: fault.message }];
      view.dispatch(setDiagnostics(view.state, faults));
    },
    goTo: (fault) => {
      view.dispatch({ selection: { anchor: offsetOf(fault).from }, scrollIntoView: true });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
