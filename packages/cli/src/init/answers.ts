import { CliError } from "../cli-error.js";

/** The key types that AWS KMS makes and the broker serves, by what the catalog calls them. */
export const INIT_KEY_TYPES = ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "aes-256-gcm"] as const;
export type InitKeyType = (typeof INIT_KEY_TYPES)[number];

export interface InitKey {
  readonly name: string;
  readonly keyType: InitKeyType;
}

/** What a deployment is made from. */
export interface InitAnswers {
  readonly region: string;
  readonly endpoint?: string;
  readonly profile?: string;
  /** May be none. */
  readonly keys: readonly InitKey[];
  /** Who may use them; at least one. */
  readonly uids: readonly number[];
}

export const EXAMPLE_KEY: InitKey = { name: "example.signing_key", keyType: "ecdsa-p256" };

const REGION = /^[a-z]{2,4}(-[a-z]+)+-\d+$/;
const MAX_UID = 0xffff_fffe;
const NO_KEYS = "none";

/** A region's name. @throws {@link CliError} `USAGE`. */
export function readRegion(value: string): string {
  if (REGION.test(value)) return value;
  throw refused("--region", value, "a region's name, such as us-east-1");
}

/** `y`, `yes`, `n` or `no`, in any case. @throws {@link CliError} `USAGE`. */
export function readYesOrNo(value: string): boolean {
  const found = /^(?:(y|yes)|n|no)$/i.exec(value);
  // The value is not quoted: it may be a passphrase that was typed too early.
  if (found === null) throw new CliError("USAGE", "answer y or n", {});
  return found[1] !== undefined;
}

/** Of AWS's partitions, by the beginning of a region's name: https://docs.aws.amazon.com/general/latest/gr/rande.html. */
const AREAS = new Set("af ap ca cn eu eusc-de il me mx sa us us-gov us-iso us-isob us-isof eu-isoe".split(" "));
const DIRECTIONS = /^(?:north|south|east|west|central|northeast|northwest|southeast|southwest)$/;

/** Why a well-formed name is probably no region; undefined for one that looks like those of AWS. Regions appear, so it may be one. */
export function regionDoubt(region: string): string | undefined {
  const [, area = "", direction = ""] = /^(.+)-([a-z]+)-\d+$/.exec(region) ?? [];
  const odd = !AREAS.has(area) ? area : !DIRECTIONS.test(direction) ? direction : undefined;
  if (odd === undefined) return undefined;
  return `${JSON.stringify(region)} is like no region of AWS: check ${JSON.stringify(odd)}`;
}

/** An http or https URL; nothing for an empty text. @throws {@link CliError} `USAGE`. */
export function readEndpoint(value: string): string | undefined {
  if (value === "") return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return value;
  throw refused("--endpoint", value, "a URL with http:// or https://");
}

/** `NAME=TYPE` of each key, or `none`. @throws {@link CliError} `USAGE`. */
export function readKeys(values: readonly string[]): readonly InitKey[] {
  if (values.length === 1 && values[0] === NO_KEYS) return [];
  const keys = values.map(readKey);
  for (const [at, { name }] of keys.entries()) {
    const before = keys.slice(0, at).find((other) => aliasOf(other.name) === aliasOf(name))?.name;
    if (before === undefined) continue;
    const what = before === name ? `names ${name} twice` : `names ${before} and ${name}, which have one alias`;
    throw new CliError("USAGE", `--key ${what}`, { flag: "--key" });
  }
  return keys;
}

/** Where the key of a name is kept. */
export function aliasOf(name: string): string {
  return `alias/basil/${name.replaceAll(/[._]/g, "-")}`;
}

function readKey(value: string): InitKey {
  const [name = "", type, ...rest] = value.split("=");
  const keyType = INIT_KEY_TYPES.find((known) => known === type);
  // As the catalog's loader has it, which would name a place in a document that nobody has written.
  if (/^[a-z0-9][a-z0-9_]*(?:\.[a-z0-9][a-z0-9_]*)*$/.test(name) && keyType !== undefined && rest.length === 0) {
    return { name, keyType };
  }
  throw refused("--key", value, `NAME=TYPE, such as jwt.signing=ecdsa-p256, of ${INIT_KEY_TYPES.join(", ")}; or none`);
}

/** A numeric user id each. @throws {@link CliError} `USAGE`. */
export function readUids(values: readonly string[]): readonly number[] {
  const uids = values.map((value) => {
    if (/^\d{1,10}$/.test(value) && Number(value) <= MAX_UID) return Number(value);
    throw refused("--uid", value, "a numeric user id, as 'id -u USER' prints it");
  });
  return [...new Set(uids)];
}

function refused(flag: string, value: string, allowed: string): CliError {
  return new CliError("USAGE", `${flag} is ${JSON.stringify(value)}; allowed: ${allowed}`, { flag });
}
