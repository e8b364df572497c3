/** Where the store keeps its bytes: OPFS (opfs.js), or memory where there is none (memory.js). */

export interface PartialFile {
  size(): number;
  /** Fills `into` from `at`; returns the bytes read, fewer at the end of the file. */
  read(at: number, into: Uint8Array): number;
  /** Makes it at least `bytes` long, or quota_exceeded {bytes_needed}. */
  grow(bytes: number): void;
  /** All of `bytes` at `at`, or quota_exceeded. */
  write(at: number, bytes: Uint8Array): void;
  flush(): void;
  /** Everyone who opened it releases it once; the last one frees the file for other tabs. */
  release(): void;
}

export interface Listing {
  blobs: { sha256: string; bytes: number }[];
  partials: { sha256: string; bytes: number; journal: unknown }[];
  records: unknown[];
}

export interface Disk {
  /** False when what is kept lasts until the tab closes. */
  readonly opfs: boolean;
  list(): Promise<Listing>;
  /** Opens the partial, made empty and without a journal if it is not there; several at once share it. */
  open(sha256: string): Promise<PartialFile>;
  journal(sha256: string, journal: unknown): Promise<void>;
  /** Partial -> blob of the name `as` in one step; its journal goes. Whoever has the partial open loses it. */
  commit(sha256: string, as: string): Promise<void>;
  /** Whoever has the partial open loses it. */
  discard(sha256: string): Promise<void>;
  record(key: string, record: unknown): Promise<void>;
  forget(key: string): Promise<void>;
  blob(sha256: string): Promise<Blob | null>;
  remove(sha256: string): Promise<void>;
}
