import type { AuditRecord, AuditSink } from "../src/audit/audit-sink.js";

/** Keeps the records, and fails when told to. */
export interface MemoryAudit extends AuditSink {
  readonly records: AuditRecord[];
  healthy: boolean;
  before: () => Promise<void> | void;
}

export function memoryAudit(): MemoryAudit {
  const audit: MemoryAudit = {
    records: [],
    healthy: true,
    before: () => {},
    async write(record) {
      await audit.before();
      audit.records.push(record);
    },
    async [Symbol.asyncDispose]() {},
  };
  return audit;
}
