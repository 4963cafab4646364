import { CallLog } from "./call-log.js";
import type { CallRecord } from "./call-record.js";
import { Clock } from "./clock.js";
import { containerCredentials, containerCredentialsPath } from "./credentials/container.js";
import { instanceMetadata } from "./credentials/instance-metadata.js";
import { ServiceSession } from "./credentials/service-session.js";
import type { CredentialSource, SourceParts } from "./credentials/source.js";
import { ssoPortal } from "./credentials/sso-portal.js";
import { EmulatorError, isEmulatorError } from "./errors.js";
import { Faults } from "./faults.js";
import { FrontDoor } from "./front-door.js";
import { type SdkRequestHandler, sdkRequestHandler } from "./http/request-handler.js";
import { startServer } from "./http/server.js";
import type { WireRequest } from "./http/wire.js";
import { callerOf } from "./iam/caller.js";
import { newRootKey } from "./iam/credentials.js";
import { Directory, type RootKeyRecord } from "./iam/directory.js";
import { oidcProvider } from "./iam/oidc.js";
import { Keys } from "./keys.js";
import { KeyStore } from "./kms/key-store.js";
import { Quotas } from "./kms/quotas.js";
import { checkOptionNames, type KmsEmulatorOptions, placeOf, unofferedOf } from "./options.js";
import { Principals } from "./principals.js";
import { randomSource } from "./random.js";
import { Router } from "./router.js";
import { drawFrom } from "./span.js";
import type { StateParts } from "./state-document.js";
import type { StateFile } from "./state-file.js";
import { conditionKeyWarnings } from "./warnings.js";

/** A running emulator: its endpoint, and the hand of the test in keys, principals, faults and time. */
export interface KmsEmulator extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:40123`; KMS, IAM, STS and whatever the options switch on. */
  readonly endpoint: string;
  readonly account: string;
  readonly region: string;
  /** The account root user: may do everything that key policies leave to the account. */
  readonly rootCredentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** For `AWS_CONTAINER_CREDENTIALS_FULL_URI`; answers when the option is given. */
  readonly containerCredentialsUri: string;
  readonly principals: Principals;
  readonly keys: Keys;
  /** The script of faults; lines can be added and cleared at any time. */
  readonly faults: Faults;
  /** The last calls, oldest first; a new array at each reading. */
  readonly calls: readonly CallRecord[];
  /**
   * Condition keys that policies in force test and the engine does not know, one sentence each. Such a key is evaluated as
   * absent, as AWS does; a new array at each reading.
   */
  readonly warnings: readonly string[];
  /** Forgets the calls so far. */
  clearCalls(): void;
  readonly clock: Clock;
  /** For the `requestHandler` option of a client of the AWS SDK for JavaScript: no socket is used. */
  readonly requestHandler: SdkRequestHandler;
  /** Stops listening, cuts every connection, and waits for the state to be on disk. */
  close(): Promise<void>;
}

function credentialSources(options: KmsEmulatorOptions, parts: SourceParts): CredentialSource[] {
  const sources: CredentialSource[] = [];
  if (options.instanceMetadata !== undefined) sources.push(instanceMetadata(options.instanceMetadata, parts));
  if (options.containerCredentials !== undefined)
    sources.push(containerCredentials(options.containerCredentials, parts));
  if (options.ssoPortal !== undefined) sources.push(ssoPortal(options.ssoPortal, parts));
  return sources;
}

/**
 * Starts an AWS KMS with IAM and STS on loopback.
 *
 * Keys, users, roles and instance profiles of the options are made unless the state file was there already.
 *
 * @throws {@link EmulatorError} `OPTION_INVALID`, `POLICY_MALFORMED`, `ALREADY_EXISTS`, `LISTEN_FAILED`, `LOG_FILE`, `STATE_FILE`.
 */
export async function startKmsEmulator(options: KmsEmulatorOptions = {}): Promise<KmsEmulator> {
  checkOptionNames(options);
  const place = placeOf(options);
  const clock = new Clock(options.now);
  const random = randomSource(options.seed);
  const directory = new Directory();
  const store = new KeyStore();
  const log = new CallLog(options.callLog);
  const state = await openState(options.stateFile, { place, store, directory });
  const changed = () => state?.save();
  // What the hand of the test changes is written behind its back; close() waits for it and tells of a failure.
  const changedByHand = () => void changed()?.catch(() => undefined);
  const parts = { directory, store, place, random, clock, changed: changedByHand };
  const principals = new Principals(parts);
  const keys = new Keys(parts);
  const providers = (options.oidcProviders ?? []).map((provider, i) => oidcProvider(provider, `oidcProviders[${i}]`));
  const quotas = new Quotas(options.quotas, place.region);
  const unoffered = unofferedOf(options);
  const faults = new Faults(random, options.faults);
  const latency = drawFrom(options.latencyMs, random, "latencyMs");
  const propagation = {
    keyLag: drawFrom(options.propagation?.keyMs, random, "propagation.keyMs"),
    aliasLag: drawFrom(options.propagation?.aliasMs, random, "propagation.aliasMs"),
  };
  const now = () => clock.now();
  const sessions = new ServiceSession(directory, random);
  const sources = credentialSources(options, { directory, place, random, sessions, now });

  const restored = (await state?.load()) === true;
  const root = rootKey(directory) ?? newRootKey(random, clock.now(), options.rootAccessKey);
  directory.accessKeys.set(root.accessKeyId, root);
  if (!restored) {
    for (const [i, user] of (options.users ?? []).entries())
      await within(`users[${i}]`, () => principals.createUser(user));
    for (const [i, role] of (options.roles ?? []).entries())
      await within(`roles[${i}]`, () => principals.createRole(role));
    for (const { name, role } of options.instanceProfiles ?? []) principals.createInstanceProfile(name, role);
    for (const [i, key] of (options.keys ?? []).entries()) await within(`keys[${i}]`, () => keys.create(key));
  }
  await changed();

  const router = new Router({
    place,
    clock,
    random,
    directory,
    store,
    propagation,
    quotas,
    unoffered,
    providers,
    sources,
    changed,
  });
  const principalsOf = (accessKeyId: string) => {
    const key = directory.accessKeys.get(accessKeyId);
    const caller = key === undefined ? undefined : callerOf(key, directory, place);
    return caller === undefined ? [] : [caller.arn, caller.principalArn];
  };
  const door = new FrontDoor({ router, clock, random, log, faults, latency, principalsOf });
  const handle = (request: WireRequest) => door.handle(request);
  const server = await startServer({ host: options.host ?? "127.0.0.1", port: options.port ?? 0, handle });
  const close = async () => {
    await server.close();
    await changed();
  };
  return {
    endpoint: server.endpoint,
    account: place.account,
    region: place.region,
    // A new object each time: SDKs write into the one they are given.
    get rootCredentials() {
      return { accessKeyId: root.accessKeyId, secretAccessKey: root.secretAccessKey };
    },
    containerCredentialsUri: `${server.endpoint}${containerCredentialsPath}`,
    principals,
    keys,
    faults,
    get calls() {
      return log.all();
    },
    get warnings() {
      return conditionKeyWarnings(directory, store);
    },
    clearCalls: () => log.clear(),
    clock,
    requestHandler: sdkRequestHandler(handle),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Makes one item of a list of options; what is wrong with it is told with its place in the list. */
async function within(place: string, make: () => unknown): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (!isEmulatorError(error)) throw error;
    const { cause } = error;
    if (error.code === "OPTION_INVALID") {
      const path = `${place}.${error.details.path}`;
      throw new EmulatorError("OPTION_INVALID", `${place}.${error.message}`, { path }, { cause });
    }
    if (error.code === "POLICY_MALFORMED") {
      throw new EmulatorError("POLICY_MALFORMED", `${place}: ${error.message}`, error.details, { cause });
    }
    throw error;
  }
}

/** Loaded only where it is wanted: its schema library is a fifth of the emulator's memory. */
async function openState(file: string | undefined, parts: StateParts): Promise<StateFile | undefined> {
  if (file === undefined) return undefined;
  const { StateFile } = await import("./state-file.js");
  return new StateFile(file, parts);
}

function rootKey(directory: Directory): RootKeyRecord | undefined {
  return [...directory.accessKeys.values()].find((key) => key.kind === "root");
}
