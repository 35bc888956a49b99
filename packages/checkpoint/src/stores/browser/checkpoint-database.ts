import { accessError, missing, storeError } from "./store-error.js";

/** What is stored of a whole checkpoint in addition to its pieces. */
export interface CheckpointRecord {
  /** The first half of the keys of its pieces; the second half is their index. */
  readonly draft: string;
  /** In bytes. */
  readonly size: number;
  /** The number of pieces. */
  readonly pieces: number;
}

/** A new database, or a change of its layout, needs a new version. */
const version = 1;

/** The object stores of a database: its checkpoints by number, and their pieces by draft and index. */
type Table = "checkpoints" | "pieces";

/** The database of a store, open while `work` runs. */
export class CheckpointDatabase {
  readonly #database: IDBDatabase;
  readonly #store: string;

  private constructor(database: IDBDatabase, store: string) {
    this.#database = database;
    this.#store = store;
  }

  /** @throws {GradstepError} `UNSUPPORTED`, `STORE_FAILED`, `OUT_OF_SPACE`, and what `work` throws */
  static async use<T>(
    name: string,
    store: string,
    work: (database: CheckpointDatabase) => Promise<T>,
  ): Promise<T> {
    let database: IDBDatabase;
    try {
      database = await open(name);
    } catch (cause) {
      throw accessError(cause, `open ${store}`);
    }
    // Another tab that deletes the database does not wait for this one.
    database.addEventListener("versionchange", () => {
      database.close();
    });
    try {
      return await work(new CheckpointDatabase(database, store));
    } finally {
      database.close();
    }
  }

  async read<T>(table: Table, request: (objects: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    try {
      const transaction = this.#database.transaction(table);
      const { result } = await completed(transaction, request(transaction.objectStore(table)));
      return result;
    } catch (cause) {
      throw storeError(cause, `read ${this.#store}`);
    }
  }

  /** One transaction, which is on the disk when this resolves. Resolves with the result of the request. */
  async write<T>(request: (objects: Record<Table, IDBObjectStore>) => IDBRequest<T>): Promise<T> {
    try {
      const transaction = this.#database.transaction(["checkpoints", "pieces"], "readwrite", {
        durability: "strict",
      });
      const { result } = await completed(
        transaction,
        request({
          checkpoints: transaction.objectStore("checkpoints"),
          pieces: transaction.objectStore("pieces"),
        }),
      );
      return result;
    } catch (cause) {
      throw storeError(cause, `write to ${this.#store}`);
    }
  }
}

function completed<R extends IDBRequest>(transaction: IDBTransaction, request: R): Promise<R> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => {
      resolve(request);
    });
    transaction.addEventListener("abort", () => {
      // Null if the browser closed the database.
      reject(transaction.error);
    });
  });
}

function open(name: string): Promise<IDBDatabase> {
  const { indexedDB } = globalThis as Partial<typeof globalThis>;
  if (indexedDB === undefined)
    throw missing("IndexedDB", "Outside browsers, use fileStore or memoryStore.");
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.addEventListener("upgradeneeded", () => {
      const database = request.result;
      // Numbers are never given twice, so that the id of a removed checkpoint does not become another one.
      const checkpoints = database.createObjectStore("checkpoints", { autoIncrement: true });
      checkpoints.createIndex("draft", "draft", { unique: true });
      database.createObjectStore("pieces");
    });
    request.addEventListener("success", () => {
      resolve(request.result);
    });
    request.addEventListener("error", () => {
      reject(request.error);
    });
  });
}
