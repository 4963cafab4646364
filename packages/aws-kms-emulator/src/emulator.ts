import { CallLog, type CallLogOptions } from "./call-log.js";
import type { CallRecord } from "./call-record.js";
import { Clock } from "./clock.js";
import { EmulatorError } from "./errors.js";
import { FrontDoor } from "./front-door.js";
import { type SdkRequestHandler, sdkRequestHandler } from "./http/request-handler.js";
import { startServer } from "./http/server.js";
import { newRootKey } from "./iam/credentials.js";
import { Directory } from "./iam/directory.js";
import { type KeyOptions, Keys } from "./keys.js";
import { KeyStore } from "./kms/key-store.js";
import type { Place } from "./place.js";
import { Principals, type RoleOptions, type UserOptions } from "./principals.js";
import { randomSource } from "./random.js";

export interface KmsEmulatorOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** 12 digits. Default `111122223333`. */
  readonly account?: string;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Makes ids and chances the same in every run. Key material stays random. */
  readonly seed?: number;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  readonly keys?: readonly KeyOptions[];
  readonly users?: readonly UserOptions[];
  readonly roles?: readonly RoleOptions[];
  /** Access key of the account root user, when it should be a given one. */
  readonly rootAccessKey?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly callLog?: CallLogOptions;
}

export interface KmsEmulator extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:40123` */
  readonly endpoint: string;
  readonly account: string;
  readonly region: string;
  /** The account root user: may do everything that key policies leave to the account. */
  readonly rootCredentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly principals: Principals;
  readonly keys: Keys;
  /** The last calls, oldest first; a new array at each reading. */
  readonly calls: readonly CallRecord[];
  /** Forgets the calls so far. */
  clearCalls(): void;
  readonly clock: Clock;
  /** For the `requestHandler` option of a client of the AWS SDK for JavaScript: no socket is used. */
  readonly requestHandler: SdkRequestHandler;
  close(): Promise<void>;
}

function placeOf(options: KmsEmulatorOptions): Place {
  const { account = "111122223333", region = "us-east-1" } = options;
  if (!/^\d{12}$/.test(account)) {
    throw new EmulatorError("OPTION_INVALID", `account: must be 12 digits, found ${JSON.stringify(account)}`, {
      path: "account",
    });
  }
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
    throw new EmulatorError("OPTION_INVALID", `region: must look like us-east-1, found ${JSON.stringify(region)}`, {
      path: "region",
    });
  }
  const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return { partition, region, account };
}

/**
 * Starts an AWS KMS with IAM on loopback.
 *
 * @throws {@link EmulatorError} `OPTION_INVALID`, `POLICY_MALFORMED`, `ALREADY_EXISTS`, `LISTEN_FAILED`, `LOG_FILE`.
 */
export async function startKmsEmulator(options: KmsEmulatorOptions = {}): Promise<KmsEmulator> {
  const place = placeOf(options);
  const clock = new Clock(options.now);
  const random = randomSource(options.seed);
  const directory = new Directory();
  const store = new KeyStore();
  const log = new CallLog(options.callLog);
  const changed = () => undefined;
  const principals = new Principals({ directory, place, random, clock, changed });
  const keys = new Keys({ store, place, random, clock, changed });
  const root = newRootKey(random, clock.now(), options.rootAccessKey);
  directory.accessKeys.set(root.accessKeyId, root);
  for (const user of options.users ?? []) principals.createUser(user);
  for (const role of options.roles ?? []) principals.createRole(role);
  for (const key of options.keys ?? []) await keys.create(key);
  const propagation = { keyLag: () => 0, aliasLag: () => 0 };
  const door = new FrontDoor({ place, clock, random, directory, store, propagation, log, changed });
  const handle = (request: Parameters<FrontDoor["handle"]>[0]) => door.handle(request);
  const server = await startServer({ host: options.host ?? "127.0.0.1", port: options.port ?? 0, handle });
  return {
    endpoint: server.endpoint,
    account: place.account,
    region: place.region,
    rootCredentials: { accessKeyId: root.accessKeyId, secretAccessKey: root.secretAccessKey },
    principals,
    keys,
    get calls() {
      return log.all();
    },
    clearCalls: () => log.clear(),
    clock,
    requestHandler: sdkRequestHandler(handle),
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
