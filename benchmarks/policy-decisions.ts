// Decisions a second of processor time by the size of the policy, beside a plain scan of its rules in the same run; then by how many
// rules name the one key asked about; then the time and memory to load a catalog of 10,000 keys.
import { type Catalog, parseCatalog } from "@basil/catalog";
import { decide, matchesTarget, type Operation, type Policy, parsePolicy } from "@basil/policy";
import { writeResult } from "./harness/result.ts";

const SUBJECTS = 50;
const KEYS = 10_000;
const ROUNDS = 9;
const OPERATIONS: readonly Operation[] = ["sign", "verify", "get", "list", "encrypt", "rotate", "set"];

type Question = readonly [subject: string, operation: Operation, key: string];

const keyName = (i: number): string => `team${i % 100}.service${i % 1000}.key${i}`;

function catalogText(): string {
  const keys = Object.fromEntries(
    Array.from({ length: KEYS }, (_, i) => [
      keyName(i),
      {
        class: i % 3 === 0 ? "symmetric" : "asymmetric",
        keyType: i % 3 === 0 ? "aes-256-gcm" : "ecdsa-p256",
        backend: "kms",
        path: `alias/basil/${i}`,
        writable: i % 2 === 0,
        labels: ["team=a", "stage=production"],
        description: `key ${i}`,
      },
    ]),
  );
  return JSON.stringify({ schemaVersion: 1, backends: { kms: { kind: "aws-kms", addr: "" } }, keys });
}

function policyOf(rules: readonly object[]): Policy {
  const subjects = Object.fromEntries(
    Array.from({ length: SUBJECTS }, (_, uid) => [`s${uid}`, { allOf: [{ kind: "unix", uid }] }]),
  );
  return parsePolicy(JSON.stringify({ subjects, rules }));
}

/** Exact names, one segment under a prefix and whole trees, in turns. */
function mixedRules(count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `r${i}`,
    subjects: [`s${i % SUBJECTS}`],
    action: [`op:${OPERATIONS[i % OPERATIONS.length]}`, "op:list"],
    target: [keyName((i * 7) % KEYS), i % 10 === 0 ? `team${i % 100}.**` : `team${i % 100}.service${i % 1000}.*`],
  }));
}

/** A fixed walk over subjects, operations and keys; half of the keys have rules for the subject's team. */
function questions(): Question[] {
  return Array.from({ length: 20_000 }, (_, i) => [
    `s${(i * 13) % SUBJECTS}`,
    OPERATIONS[(i * 11) % OPERATIONS.length] as Operation,
    keyName((i * 7919) % KEYS),
  ]);
}

/** What a broker without an index does: the rules one after another. */
function scan(policy: Policy, catalog: Catalog, subject: string, operation: Operation, key: string): boolean {
  const entry = catalog.keys.get(key);
  if (entry === undefined) return false;
  if (!entry.writable && (operation === "set" || operation === "rotate")) return false;
  return policy.rules.some(
    (rule) =>
      rule.operations.has(operation) &&
      rule.subjects.includes(subject) &&
      rule.targets.some((target) => matchesTarget(target, key)),
  );
}

/** By processor time, so that other work on the machine does not count. */
function perSecond(asked: readonly Question[], answer: (...question: Question) => unknown): number {
  const began = process.cpuUsage();
  for (const question of asked) answer(...question);
  const { user, system } = process.cpuUsage(began);
  return (asked.length * 1e6) / (user + system);
}

function milliseconds(work: () => void): number {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function bySize(catalog: Catalog, rules: number) {
  const policy = policyOf(mixedRules(rules));
  const asked = questions();
  const allowed = asked.filter((question) => decide(policy, catalog, ...question).allowed).length;
  // A scan of 100,000 rules takes milliseconds: it is asked less.
  const few = asked.slice(0, Math.max(100, Math.min(asked.length, Math.floor(2_000_000 / rules))));
  const scanned = few.filter((question) => scan(policy, catalog, ...question)).length;
  if (scanned !== few.filter((question) => decide(policy, catalog, ...question).allowed).length) {
    throw new Error("the scan and the index disagree");
  }
  const indexed: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    indexed.push(median(Array.from({ length: 5 }, () => perSecond(asked, (...q) => decide(policy, catalog, ...q)))));
    plain.push(perSecond(few, (...q) => scan(policy, catalog, ...q)));
  }
  return {
    rules,
    allowedShare: allowed / asked.length,
    decisionsPerSecond: Math.round(median(indexed)),
    scanPerSecond: Math.round(median(plain)),
  };
}

/** All rules name one key, each for another operation or subject, and the last one is the one that allows. */
function byRulesNamingTheKey(catalog: Catalog, rules: number) {
  const key = keyName(1);
  const policy = policyOf(
    Array.from({ length: rules }, (_, i) => ({
      id: `r${i}`,
      subjects: ["s0"],
      action: [i === rules - 1 ? "op:sign" : "op:verify"],
      target: [[key, "team1.service1.*", "team1.**"][i % 3]],
    })),
  );
  const asked = Array.from({ length: 20_000 }, (): Question => ["s0", "sign", key]);
  const rates = Array.from({ length: ROUNDS }, () => perSecond(asked, (...q) => decide(policy, catalog, ...q)));
  return { rulesNamingTheKey: rules, decisionsPerSecond: Math.round(median(rates)) };
}

function catalogLoad(text: string) {
  const times: number[] = [];
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const kept: Catalog[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    times.push(milliseconds(() => kept.push(parseCatalog(text))));
    if (round > 0) kept.pop();
  }
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed - before;
  return {
    keys: kept[0]?.keys.size,
    documentBytes: text.length,
    firstMilliseconds: Math.round(times[0] as number),
    medianMilliseconds: Math.round(median(times)),
    ...(globalThis.gc === undefined ? {} : { keptHeapMegabytes: Math.round(heap / 1e5) / 10 }),
  };
}

function policyLoad(rules: number) {
  const list = mixedRules(rules);
  const times = Array.from({ length: 3 }, () => milliseconds(() => policyOf(list)));
  return { rules, medianMilliseconds: Math.round(median(times)) };
}

const text = catalogText();
const catalogLoading = catalogLoad(text);
const catalog = parseCatalog(text);
writeResult("policy-decisions", {
  unit: "decisions a second and milliseconds, both of processor time; medians",
  bySize: [10, 1_000, 100_000].map((rules) => bySize(catalog, rules)),
  byRulesNamingTheKey: [1, 10, 100, 1_000].map((rules) => byRulesNamingTheKey(catalog, rules)),
  catalogLoad: catalogLoading,
  policyLoad: [1_000, 100_000].map(policyLoad),
});
