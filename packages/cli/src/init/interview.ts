import type { CommandContext } from "../context.js";
import {
  EXAMPLE_KEY,
  INIT_KEY_TYPES,
  type InitAnswers,
  readEndpoint,
  readKeys,
  readRegion,
  readUids,
  readYesOrNo,
} from "./answers.js";
import { Questions } from "./questions.js";

export interface InitFlags {
  readonly region?: string;
  readonly endpoint?: string;
  readonly profile?: string;
  readonly key?: readonly string[];
  readonly uid?: readonly string[];
  readonly unlock?: UnlockMethod;
}

export const UNLOCK_METHODS = ["passphrase", "none"] as const;
export type UnlockMethod = (typeof UNLOCK_METHODS)[number];

export interface Interview extends InitAnswers {
  readonly unlock: UnlockMethod;
}

const EXAMPLE = `${EXAMPLE_KEY.name}=${EXAMPLE_KEY.keyType}`;

/** What the flags say, and the defaults where they say nothing; a region there must be. */
export function withoutAsking(flags: InitFlags, region: string, uid: number): Interview {
  const endpoint = flags.endpoint === undefined ? undefined : readEndpoint(flags.endpoint);
  return {
    region: readRegion(region),
    ...(endpoint !== undefined && { endpoint }),
    ...(flags.profile !== undefined && { profile: flags.profile }),
    keys: readKeys(flags.key ?? [EXAMPLE]),
    uids: readUids(flags.uid ?? [String(uid)]),
    unlock: flags.unlock ?? "none",
  };
}

/** Asks a person for what the flags leave open. */
export async function interview(flags: InitFlags, context: CommandContext): Promise<Interview> {
  // What is wrong with a flag is said before the first question.
  const given = withoutAsking(flags, flags.region ?? "us-east-1", context.uid);
  const { err } = context.terminal;
  using questions = new Questions(context);
  err("Return takes what stands in brackets; Ctrl-C leaves everything as it is.");
  const region =
    flags.region ?? (await questions.ask("AWS region of the keys", context.env.AWS_REGION ?? "", readRegion));
  const keys =
    flags.key === undefined
      ? await questions.ask(`Keys, as NAME=TYPE of ${INIT_KEY_TYPES.join(", ")}, or none`, EXAMPLE, (answer) =>
          readKeys(words(answer)),
        )
      : given.keys;
  const uids =
    flags.uid === undefined
      ? await questions.ask("Users who may use them, by uid", String(context.uid), (answer) => readUids(words(answer)))
      : given.uids;
  const endpoint =
    flags.endpoint === undefined
      ? await questions.ask("KMS endpoint, if it is not AWS's own", undefined, readEndpoint)
      : given.endpoint;
  const unlock =
    flags.unlock ??
    (await questions.ask<UnlockMethod>("Seal the bundle now, with a passphrase? y or n", "y", (answer) =>
      readYesOrNo(answer) ? "passphrase" : "none",
    ));
  const { profile } = given;
  return {
    region,
    keys,
    uids,
    unlock,
    ...(endpoint !== undefined && { endpoint }),
    ...(profile !== undefined && { profile }),
  };
}

function words(answer: string): string[] {
  return answer.split(/[\s,]+/u).filter((word) => word !== "");
}
