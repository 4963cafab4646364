import { ENGINES, KEY_TYPES } from "@basil/catalog";
import { TRANSIT_OPERATIONS } from "../capabilities.js";

const MEMBERS = ["engines", "keyTypes", "features"];
const CLAIM_MEMBERS = ["operations", "message", "plaintext"];
const MAX_FEATURES = 256;

type Members = Readonly<Record<string, unknown>>;

/** What keeps a value from being `Capabilities`, one line each with the place; empty when it is. */
export function capabilitiesProblems(value: unknown): string[] {
  if (!isRecord(value)) return [`capabilities must be an object, found ${show(value)}`];
  const { engines, keyTypes, features } = value;
  const problems = [
    ...unknownMembers("capabilities", value, MEMBERS),
    ...listed("capabilities.engines", engines, ENGINES),
  ];
  if (!isRecord(keyTypes)) problems.push(`capabilities.keyTypes must be an object, found ${show(keyTypes)}`);
  else {
    problems.push(...Object.entries(keyTypes).flatMap(([keyType, claim]) => claimProblems(keyType, claim)));
    if (Object.keys(keyTypes).length > 0 && Array.isArray(engines) && !engines.includes("transit"))
      problems.push("capabilities.keyTypes lists key types, and capabilities.engines has no transit");
  }
  if (!Array.isArray(features) || features.length > MAX_FEATURES)
    problems.push(`capabilities.features must be a list of at most ${MAX_FEATURES} texts, found ${show(features)}`);
  else if (features.some((token) => typeof token !== "string" || token === "" || token.length > 128))
    problems.push("capabilities.features must hold texts of 1 to 128 characters");
  return problems;
}

function claimProblems(keyType: string, claim: unknown): string[] {
  const at = `capabilities.keyTypes.${keyType.slice(0, 64)}`;
  if (!(KEY_TYPES as readonly string[]).includes(keyType))
    return [`${at} is no key type; there are ${KEY_TYPES.join(", ")}`];
  if (!isRecord(claim)) return [`${at} must be an object, found ${show(claim)}`];
  const { operations, message, plaintext } = claim;
  const problems = [
    ...unknownMembers(at, claim, CLAIM_MEMBERS),
    ...listed(`${at}.operations`, operations, TRANSIT_OPERATIONS),
    ...rangeProblems(`${at}.message`, message),
    ...rangeProblems(`${at}.plaintext`, plaintext),
  ];
  if (Array.isArray(operations) && operations.length === 0)
    problems.push(`${at}.operations is empty; leave the key type out`);
  return problems;
}

function rangeProblems(at: string, range: unknown): string[] {
  if (range === undefined) return [];
  if (!isRecord(range)) return [`${at} must be { min, max }, found ${show(range)}`];
  const { min, max = Number.MAX_SAFE_INTEGER } = range;
  const whole = Number.isSafeInteger(min) && Number.isSafeInteger(max) && (min as number) >= 0;
  if (whole && (max as number) >= (min as number)) return unknownMembers(at, range, ["min", "max"]);
  return [`${at} must be whole bytes, 0 ≤ min ≤ max, found ${show(min)} to ${show(max)}`];
}

function listed(at: string, value: unknown, known: readonly string[]): string[] {
  if (!Array.isArray(value)) return [`${at} must be a list, found ${show(value)}`];
  const unknown = value.filter((item) => !known.includes(item as string));
  const problems = unknown.map((item) => `${at} has ${show(item)}; allowed: ${known.join(", ")}`);
  if (new Set(value).size !== value.length) problems.push(`${at} lists something twice`);
  return problems;
}

function unknownMembers(at: string, value: Members, known: readonly string[]): string[] {
  return Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => `${at} has an unknown member ${show(name)}; allowed: ${known.join(", ")}`);
}

function isRecord(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 64));
  if (Array.isArray(value)) return "a list";
  return typeof value === "number" || value === null ? String(value) : typeof value;
}
