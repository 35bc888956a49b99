import type { Backend } from "@gradstep/core";

/** Makes a backend. */
export type Factory = (options?: Readonly<Record<string, unknown>>) => Backend | Promise<Backend>;

/**
 * How many backends have a device in common. It keeps every pipeline that was compiled on it, in a run of hours many
 * gigabytes.
 */
const backendsPerDevice = 256;

/** Makes fresh backends, which have in common what is expensive to make. */
export class BackendSource {
  readonly #factory: Factory;
  readonly #options: Readonly<Record<string, unknown>> | undefined;
  readonly #shared: string | undefined;
  #owner: Backend | undefined;
  #earlierOwner: Backend | undefined;
  #made = 0;

  /** @param shared a property of a backend that others take as an option: `device` */
  constructor(
    factory: Factory,
    options: Readonly<Record<string, unknown>> | undefined,
    shared: string | undefined,
  ) {
    this.#factory = factory;
    this.#options = options;
    this.#shared = shared;
  }

  /** The backend whose property the last ones share; undefined if there is none. */
  get owner(): Backend | undefined {
    return this.#owner;
  }

  async make(): Promise<Backend> {
    const shared = this.#shared;
    if (shared === undefined) return this.#factory(this.#options);
    if (this.#made % backendsPerDevice === 0) await this.#renew();
    this.#made += 1;
    return this.#factory({ [shared]: Reflect.get(this.#owner!, shared) as unknown });
  }

  /** A check may still use a few of the last backends, and no older ones. */
  async #renew(): Promise<void> {
    const { dispose } = (this.#earlierOwner ?? {}) as { dispose?: () => void };
    dispose?.call(this.#earlierOwner);
    this.#earlierOwner = this.#owner;
    this.#owner = await this.#factory(this.#options);
  }
}
