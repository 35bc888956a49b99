import * as platform from "node:fs/promises";

/** The calls of `node:fs/promises` that a file store needs. */
export interface FileSystem {
  mkdir(path: string): Promise<unknown>;
  readdir(path: string, options: { withFileTypes: true }): Promise<readonly DirectoryEntry[]>;
  open(path: string, flags: "r" | "wx"): Promise<OpenFile>;
  stat(path: string): Promise<FileStatus>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

export interface DirectoryEntry {
  readonly name: string;
  isFile(): boolean;
}

export interface FileStatus {
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
}

export interface OpenFile {
  /** May write fewer bytes than it is asked to. */
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>;
  /** May read fewer bytes than it is asked to; 0 at the end of the file. */
  read(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export const nodeFileSystem: FileSystem = platform;

/** The code of an error of the operating system, such as `ENOSPC`; undefined for any other error. */
export function errorCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}
