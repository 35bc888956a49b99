import type { MatrixPass, Update, Values, Variant, VariantPart } from "@gradstep/core";
import { joinPairwise } from "@gradstep/core/internal";
import { arrayNamesOf } from "./array-names.js";
import type { PassFunction } from "../kernel-table.js";
import { MapPassRunner } from "./map-pass-runner.js";
import { NewtonSchulz } from "../matrices/newton-schulz.js";
import { PassTarget } from "./pass-target.js";
import type { TemporaryArray } from "./temporary-array.js";

/** Consecutive passes that one tensor can run through before the next tensor begins. */
interface Phase {
  readonly passes: readonly (MapPassRunner | MatrixPass)[];
  /** The level of its last pass. */
  readonly level: number;
}

/** What a runner has to know about the chain that its variant is part of. */
export interface ChainPlace {
  readonly part: VariantPart;
  /** Memory for the gradients that stages change, by update; undefined if none does. */
  readonly changedGradients: WeakMap<Update, Float32Array> | undefined;
  readonly isFirst: boolean;
  /** Whether a part before it has changed the gradient. */
  readonly isGradientChanged: boolean;
}

/** Runs the passes of a variant on the updates of a step. */
export class VariantRunner {
  readonly phases: readonly Phase[];
  readonly #variant: Variant;
  readonly #Temporary: TemporaryArray;
  readonly #place: ChainPlace | undefined;
  readonly #names: readonly string[];
  /** By index among the arrays: those that all tensors share. */
  readonly #shared: readonly (Values | undefined)[];
  /** The targets of all updates so far. */
  readonly #known = new WeakMap<Update, PassTarget>();
  /** The targets of the step; the first `#count` are valid. */
  readonly #targets: PassTarget[] = [];
  #count = 0;
  /** The values of tensors for one reduction over all of them, and their number. */
  #joined: Values;
  #gathered = 0;
  /** Keys of the temporaries that depend on parameters and gradients alone, by name. */
  readonly #keys: ReadonlyMap<string, string | undefined>;
  readonly #newtonSchulz: NewtonSchulz;
  readonly #coefficients: Values;

  /** @param functions one per pass; undefined for matrix passes */
  constructor(
    variant: Variant,
    functions: readonly (PassFunction | undefined)[],
    Temporary: TemporaryArray,
    place?: ChainPlace,
  ) {
    const { temporaries, passes } = variant.passPlan;
    this.#variant = variant;
    this.#Temporary = Temporary;
    this.#place = place;
    this.#names = arrayNamesOf(variant);
    const isShared = (array: string): boolean =>
      temporaries.some(({ name, extent }) => name === array && extent === "all");
    this.#shared = this.#names.map((name) => (isShared(name) ? new Temporary(1) : undefined));
    this.#joined = new Temporary(0);
    // Parts of a chain that read what others changed depend on more than parameters and gradients.
    const isFirst = place === undefined || place.isFirst;
    this.#keys = new Map(isFirst ? temporaries.map(({ name, key }) => [name, key]) : []);
    this.#newtonSchulz = new NewtonSchulz(
      Temporary === Float32Array ? Math.fround : (value) => value,
    );
    this.#coefficients = new Temporary(3);
    this.phases = phasesOf(
      passes.map((pass, i) =>
        pass.kind === "map" ? new MapPassRunner(variant, pass, functions[i]!, Temporary) : pass,
      ),
    );
  }

  /** Runs all passes. */
  run(updates: readonly Update[], count: number): void {
    this.prepare(updates, count);
    for (let i = 0; i < this.phases.length; i += 1) {
      this.runPhase(i);
      this.joinTensors(i);
    }
  }

  /** Takes the updates of a step. */
  prepare(updates: readonly Update[], count: number): void {
    this.#count = count;
    for (let i = 0; i < count; i += 1) {
      let target = this.#known.get(updates[i]);
      if (target === undefined) {
        target = new PassTarget(this.#variant, updates[i], this.#Temporary, this.#place?.part);
        this.#known.set(updates[i], target);
      }
      target.prepare(this.#shared);
      if (this.#place !== undefined) takeChangedGradient(target, this.#place);
      this.#targets[i] = target;
    }
    this.#targets.length = count;
  }

  /** Runs a phase, without joining what it found for each tensor. */
  runPhase(phase: number): void {
    const { passes } = this.phases[phase];
    // A pass over all tensors has one index, and the scalars of the first of them.
    const isOnce = isOverAll(passes[0]);
    const count = isOnce ? Math.min(1, this.#count) : this.#count;
    for (let i = 0; i < count; i += 1) {
      for (let k = 0; k < passes.length; k += 1) {
        const pass = passes[k];
        if (pass instanceof MapPassRunner) pass.run(this.#targets[i], i);
        else this.#iterate(pass, this.#targets[i]);
      }
    }
  }

  /** Joins the values of all tensors that the reductions at the end of a phase need. */
  joinTensors(phase: number): void {
    for (let k = 0; k < this.reductionCount(phase); k += 1) {
      this.gather(phase, k, this);
      this.joinGathered(phase, k);
    }
  }

  /** Number of reductions over all tensors, at the end of a phase. */
  reductionCount(phase: number): number {
    return this.#lastOver(phase)?.pass.reductions.length ?? 0;
  }

  /** Adds the tensors of a runner to those that reduction `k` of a phase joins, if it has a reduction of the same key. */
  gather(phase: number, k: number, other: VariantRunner): void {
    const last = this.#lastOver(phase)!;
    const key = this.#keys.get(last.pass.reductions[k].name);
    const values = other === this ? last.perTensor[k] : other.#valuesOf(key);
    if (values === undefined) return;
    const first = this.#gathered;
    this.#gathered += other.#count;
    if (this.#joined.length < this.#gathered) {
      const longer = new this.#Temporary(2 * this.#gathered);
      longer.set(this.#joined);
      this.#joined = longer;
    }
    for (let i = 0; i < other.#count; i += 1) this.#joined[first + i] = values[i];
  }

  /** Joins what was gathered. */
  joinGathered(phase: number, k: number): void {
    const { name, op } = this.#lastOver(phase)!.pass.reductions[k];
    const result = joinPairwise(op, this.#joined, this.#gathered);
    this.#shared[this.#names.indexOf(name)]![0] = result;
    this.#gathered = 0;
  }

  /** The pass at the end of a phase, if it has reductions over all tensors. */
  #lastOver(phase: number): MapPassRunner | undefined {
    const { passes } = this.phases[phase];
    const last = passes[passes.length - 1];
    return last instanceof MapPassRunner && last.isOverTensors ? last : undefined;
  }

  /** The values per tensor of the reduction over all tensors with this key. */
  #valuesOf(key: string | undefined): Values | undefined {
    if (key === undefined) return undefined;
    for (let i = 0; i < this.phases.length; i += 1) {
      const last = this.#lastOver(i);
      if (last === undefined) continue;
      const { reductions } = last.pass;
      for (let k = 0; k < reductions.length; k += 1)
        if (this.#keys.get(reductions[k].name) === key) return last.perTensor[k];
    }
    return undefined;
  }

  #iterate(
    { from, to, coefficients }: MatrixPass,
    { arrays, dimensions, scalars }: PassTarget,
  ): void {
    // Through an array: as arguments, three numbers would be allocated per call.
    for (let k = 0; k < 3; k += 1) {
      const one = coefficients[k];
      if (typeof one === "string")
        this.#coefficients[k] = Math.fround(scalars[this.#variant.scalars.indexOf(one)]);
      else this.#coefficients[k] = one;
    }
    this.#newtonSchulz.run(
      arrays[this.#names.indexOf(from)] as Float32Array,
      arrays[this.#names.indexOf(to)] as Float32Array,
      dimensions,
      this.#coefficients,
    );
  }
}

/** A phase ends where the values of all tensors are joined; a pass over all tensors is a phase of its own. */
function phasesOf(passes: readonly (MapPassRunner | MatrixPass)[]): readonly Phase[] {
  const phases: (MapPassRunner | MatrixPass)[][] = [];
  let isOpen = false;
  for (const pass of passes) {
    const isMap = pass instanceof MapPassRunner;
    if (isOpen && !isOverAll(pass)) phases.at(-1)!.push(pass);
    else phases.push([pass]);
    isOpen = !isOverAll(pass) && !(isMap && pass.isOverTensors);
  }
  return phases.map((one) => {
    const last = one.at(-1)!;
    return { passes: one, level: last instanceof MapPassRunner ? last.pass.level : last.level };
  });
}

function isOverAll(pass: MapPassRunner | MatrixPass): boolean {
  return pass instanceof MapPassRunner && pass.pass.over === "all";
}

function takeChangedGradient(target: PassTarget, place: ChainPlace): void {
  const { changedGradients, isGradientChanged } = place;
  const { update } = target;
  if (changedGradients === undefined) return;
  let values = changedGradients.get(update);
  if (values?.length !== update.parameter.size) {
    values = new Float32Array(update.parameter.size);
    changedGradients.set(update, values);
  }
  target.changedGradient = values;
  if (isGradientChanged) target.useChangedGradient();
}
