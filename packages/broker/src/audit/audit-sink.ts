/** One record of the audit log, in the form it is written, before the log adds its own chain. */
export type AuditRecord = Readonly<Record<string, unknown>>;

/** Where audit records go. */
export interface AuditSink extends AsyncDisposable {
  /** Settles once the record is with the kernel; rejects when it could not be written. Records keep their order. */
  write(record: AuditRecord): Promise<void>;
  /** False after a write failed and until one succeeds again. */
  readonly healthy: boolean;
  /** Opens the log at its path again, after it was moved away. */
  reopen?(): Promise<void>;
}
