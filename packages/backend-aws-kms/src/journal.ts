import { constants } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { BackendError } from "@basil/core";
import { z } from "zod";

/** One line of the journal, in the order things happen to one alias. */
const recordSchema = z.discriminatedUnion("event", [
  z.strictObject({ event: z.literal("creating"), alias: z.string(), description: z.string() }),
  z.strictObject({ event: z.literal("created"), alias: z.string(), arn: z.string() }),
  z.strictObject({ event: z.literal("settled"), alias: z.string() }),
]);
const LINE_START = '{"event":"';
type JournalRecord = z.output<typeof recordSchema>;

/** A CreateKey that was begun and not brought to its alias. */
export interface Unsettled {
  readonly description: string;
  /** Absent when its answer never came. */
  readonly arn?: string;
}

/** What has to survive a kill between CreateKey and CreateAlias. */
export interface ProvisioningJournal {
  /** CreateKey is about to go out. */
  creating(alias: string, description: string): Promise<void>;
  /** CreateKey was answered. */
  created(alias: string, arn: string): Promise<void>;
  /** The alias is at its key, or the key was given up and reported. */
  settled(alias: string): Promise<void>;
  unsettled(alias: string): Promise<Unsettled | undefined>;
}

/**
 * A journal as JSON lines in one file, mode 0600, made when it is first written. A line is on disk when its call
 * returns; a last line that a kill cut short counts for nothing. Several processes may share the file.
 *
 * @throws {@link BackendError} `INVALID_REQUEST`, from its methods, for a file that is not a journal.
 */
export function fileJournal(file: string): ProvisioningJournal {
  return {
    creating: (alias, description) => append(file, { event: "creating", alias, description }),
    created: (alias, arn) => append(file, { event: "created", alias, arn }),
    settled: (alias) => append(file, { event: "settled", alias }),
    async unsettled(alias) {
      let open: Unsettled | undefined;
      for (const record of await read(file)) {
        if (record.alias !== alias) continue;
        if (record.event === "creating") open = { description: record.description };
        else if (record.event === "created") open = { description: open?.description ?? "", arn: record.arn };
        else open = undefined;
      }
      return open;
    },
  };
}

async function append(file: string, record: JournalRecord): Promise<void> {
  const flags = constants.O_RDWR | constants.O_APPEND;
  const existing = await open(file, flags).catch(ifMissing);
  await using handle = existing ?? (await open(file, flags | constants.O_CREAT, 0o600));
  const separator = (await endsInsideLine(handle)) ? "\n" : "";
  await handle.appendFile(`${separator}${JSON.stringify(record)}\n`);
  await handle.sync();
  if (existing) return;
  await using folder = await open(dirname(file), constants.O_RDONLY);
  await folder.sync();
}

async function endsInsideLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== "\n";
}

async function read(file: string): Promise<JournalRecord[]> {
  const text = await readFile(file, "utf8").catch(ifMissing);
  const lines = (text ?? "").split("\n");
  return lines.flatMap((line, i) => {
    if (line === "") return [];
    const record = recordSchema.safeParse(parse(line));
    if (record.success) return [record.data];
    // Cut short by a kill; what was written after it starts on a line of its own.
    const begun = line.startsWith(LINE_START.slice(0, line.length)) && !line.endsWith("}");
    if (begun) return [];
    throw new BackendError("INVALID_REQUEST", `journal ${file}, line ${i + 1}: not a record of a journal`, {});
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
