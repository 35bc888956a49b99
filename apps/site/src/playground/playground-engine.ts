import { GradstepError, type Backend } from "@gradstep/core";
import {
  openBackend,
  type BackendName,
  type DisposableBackend,
} from "../backends/browser-backends.js";
import { contourMap, type ContourMap } from "./contour-map.js";
import { parseFormula } from "./formula.js";
import { specOf } from "./optimizer-spec.js";
import { explainStep, tracePath, type Path, type StepExplanation } from "./path.js";
import type { OwnRules, Race, RunnerPart } from "./runner.js";
import type { Extent } from "./surfaces.js";

/** A runner on a backend in a race. */
export interface Trace {
  readonly parts: readonly RunnerPart[];
  readonly rules: OwnRules;
  readonly backend: BackendName;
  readonly race: Race;
}

/** What the page asks its worker for. Backends are opened once. */
export class PlaygroundEngine {
  readonly #backends = new Map<BackendName, Promise<DisposableBackend>>();

  /** @throws {FormulaError} */
  contours(formula: string, extent: Extent, columns: number, rows: number): ContourMap {
    return contourMap(parseFormula(formula), extent, columns, rows);
  }

  /** @throws {GradstepError}, {RuleTextError}, {FormulaError} */
  async trace({ parts, rules, backend, race }: Trace): Promise<Path> {
    const opened = await this.#backend(backend);
    try {
      return await tracePath(opened, specOf(parts, rules), race);
    } catch (error) {
      // The next race requests a new one.
      if (error instanceof GradstepError && error.code === "DEVICE_LOST")
        this.#backends.delete(backend);
      throw error;
    }
  }

  /** Explains the step after the given number of steps of a path. */
  async explain(
    { parts, rules, backend, race }: Trace,
    points: Float32Array,
    step: number,
  ): Promise<StepExplanation> {
    const opened = await this.#backend(backend);
    return explainStep(opened, specOf(parts, rules), race, points, step);
  }

  #backend(name: BackendName): Promise<Backend> {
    let opened = this.#backends.get(name);
    if (opened === undefined) {
      opened = openBackend(name);
      // A device that could not be had may be there at the next call.
      opened.catch(() => this.#backends.delete(name));
      this.#backends.set(name, opened);
    }
    return opened;
  }
}
