import { randomBytes } from "node:crypto";
import type { Kv2Engine } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { must, mustRefuse, sameBytes } from "../must.js";
import type { Subject } from "../subject.js";

const group = "kv2";

export const storedValueRules: readonly Rule[] = [
  rule("what is put is got back, the newest without a version", roundTrip),
  rule("a put that only creates writes where nothing is, one of many at once", createOnly),
  rule("a value or version that is not there is not found", absent),
  rule("a probe tells absent from present and shows no value", probe),
  rule("a call whose caller is gone, or past its deadline, does nothing", stopped),
];

/** Where kv2 is not claimed, the rule is that there is no such engine. */
function rule(name: string, check: (subject: Subject, kv2: Kv2Engine) => Promise<void>): Rule {
  return {
    group,
    name,
    check: async (subject) => {
      const { capabilities, kv2 } = subject.backend;
      if (!capabilities.engines.includes("kv2")) return must(kv2 === undefined, "`kv2` is there, and not claimed");
      must(kv2, "engine kv2 is claimed, and `kv2` is absent");
      await check(subject, kv2);
    },
  };
}

async function roundTrip(subject: Subject, kv2: Kv2Engine): Promise<void> {
  const path = subject.freshPath();
  const [one, two] = [Uint8Array.from(randomBytes(20)), new Uint8Array()];
  const given = Uint8Array.from(one);
  const first = await kv2.put(path, given, subject.context());
  given.fill(0);
  must(first.version === 1 && first.resource !== "", `kv2.put: the first version is 1, found ${first.version}`);
  const got = await kv2.get(path, subject.context());
  must(sameBytes(got.value, one) && got.version === 1, "kv2.get: must be what was put");
  got.value.fill(0);
  const again = await kv2.get(path, subject.context());
  must(sameBytes(again.value, one), "kv2.get: what it gave before was not a copy of its own");
  const second = await kv2.put(path, two, subject.context());
  const newest = await kv2.get(path, subject.context());
  must(
    newest.version === second.version && sameBytes(newest.value, two),
    "kv2.get: must be the newest, an empty one too",
  );
  if (second.version === 1) return;
  const old = await kv2.get(path, subject.context(), { version: 1 });
  must(sameBytes(old.value, one) && old.version === 1, "kv2.get with version 1: must be the first value");
}

async function createOnly(subject: Subject, kv2: Kv2Engine): Promise<void> {
  const path = subject.freshPath();
  const create = (value: number) => kv2.put(path, Uint8Array.of(value), subject.context(), { createOnly: true });
  const created = await Promise.allSettled([1, 2, 3, 4].map(create));
  const winners = created.flatMap(({ status }, index) => (status === "fulfilled" ? [index + 1] : []));
  must(winners.length === 1, `kv2.put with createOnly, four at once: one may write, ${winners.length} did`);
  await mustRefuse("kv2.put with createOnly where a value is", create(5), "KEY_EXISTS");
  const { value, version } = await kv2.get(path, subject.context());
  must(sameBytes(value, Uint8Array.from(winners)) && version === 1, "kv2.put with createOnly: changed what was there");
  await kv2.put(path, Uint8Array.of(6), subject.context());
  await mustRefuse("kv2.put with createOnly behind a second version", create(7), "KEY_EXISTS");
}

async function absent(subject: Subject, kv2: Kv2Engine): Promise<void> {
  const path = subject.freshPath();
  await mustRefuse("kv2.get where nothing is", kv2.get(path, subject.context()), "KEY_NOT_FOUND");
  await kv2.put(path, Uint8Array.of(1), subject.context());
  const call = kv2.get(path, subject.context(), { version: 1000 });
  await mustRefuse("kv2.get of a version that is not there", call, "KEY_NOT_FOUND");
}

async function probe(subject: Subject, kv2: Kv2Engine): Promise<void> {
  const path = subject.freshPath();
  const before = await kv2.probe(path, subject.context());
  must(before.state === "absent", `kv2.probe where nothing is: absent expected, found ${before.state}`);
  await kv2.put(path, Uint8Array.of(1), subject.context());
  const after = await kv2.probe(path, subject.context());
  must(after.state === "present", `kv2.probe of a value that is there: present expected, found ${after.state}`);
  const plain = Object.values(after).every((value) => typeof value === "string" || typeof value === "number");
  must(plain && after.latestVersion === 1, "kv2.probe must answer with metadata, and version 1");
}

async function stopped(subject: Subject, kv2: Kv2Engine): Promise<void> {
  const path = subject.freshPath();
  for (const [code, context] of [
    ["CANCELLED", subject.context({ signal: AbortSignal.abort() })],
    ["DEADLINE_EXCEEDED", subject.context({ deadline: Date.now() - 1000 })],
  ] as const) {
    await mustRefuse(`kv2.put, ${code}`, kv2.put(path, Uint8Array.of(1), context), code);
    await mustRefuse(`kv2.get, ${code}`, kv2.get(path, context), code);
    await mustRefuse(`kv2.probe, ${code}`, kv2.probe(path, context), code);
  }
  const { state } = await kv2.probe(path, subject.context());
  must(state === "absent", "kv2.put was refused, and left a value");
}
