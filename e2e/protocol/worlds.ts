import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryBackend } from "@basil/backend-conformance";
import { createBroker, documentFiles, type Limits } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { type Backend, BackendError } from "@basil/core";
import { parsePolicy } from "@basil/policy";
import { Stack } from "../stack.js";
import { KMS_CATALOG, KMS_IAM_POLICY, KMS_KEYS, policyFor, STORE_CATALOG } from "./documents.js";

/**
 * Where a case happens. `kms` is an agent, a process of its own, with keys on AWS KMS. The others are brokers in this
 * process on a backend that also keeps values: `stranger` and `ambiguous` know the caller not at all and twice, the
 * backend of `outage` does not answer, and `busy` takes one request at a time and keeps one waiting.
 */
export const WORLDS = ["kms", "store", "stranger", "ambiguous", "outage", "busy"] as const;
export type World = (typeof WORLDS)[number];

export class Worlds implements AsyncDisposable {
  readonly stack: Stack;
  /** Requests that the backend of `busy` keeps waiting. */
  held = 0;
  #gate = Promise.withResolvers<void>();
  readonly #folder: string;
  readonly #open = new AsyncDisposableStack();
  readonly #sockets = new Map<World, string>();

  static async start(): Promise<Worlds> {
    const stack = await Stack.start({
      catalog: JSON.stringify(KMS_CATALOG),
      policy: policyFor("known"),
      iamPolicy: KMS_IAM_POLICY,
      emulator: { keys: KMS_KEYS },
    });
    const worlds = new Worlds(stack, await mkdtemp(join(tmpdir(), "basil-worlds-")));
    worlds.#open.use(stack);
    worlds.#open.use(await stack.startAgent());
    worlds.#sockets.set("kms", stack.socket);
    await worlds.#serve("store", "known", storeBackend());
    await worlds.#serve("stranger", "stranger", storeBackend());
    await worlds.#serve("ambiguous", "ambiguous", storeBackend());
    await worlds.#serve("outage", "known", unreachable(storeBackend()));
    const limits = { maxInFlight: 1, maxInFlightPerCaller: 1, maxWaitingPerCaller: 1 };
    await worlds.#serve("busy", "known", worlds.#held(storeBackend()), limits);
    return worlds;
  }

  private constructor(stack: Stack, folder: string) {
    this.stack = stack;
    this.#folder = folder;
  }

  socket(world: World): string {
    return this.#sockets.get(world)!;
  }

  /** Lets go what the backend of `busy` holds, and what reaches it until {@link hold}. */
  free(): void {
    this.#gate.resolve();
  }

  hold(): void {
    this.#gate = Promise.withResolvers<void>();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
    await rm(this.#folder, { recursive: true });
  }

  async #serve(
    world: World,
    policy: Parameters<typeof policyFor>[0],
    backend: Backend,
    limits: Partial<Limits> = {},
  ): Promise<void> {
    const paths = { catalog: join(this.#folder, `${world}.catalog`), policy: join(this.#folder, `${world}.policy`) };
    const texts = { catalog: JSON.stringify(STORE_CATALOG), policy: JSON.stringify(policyFor(policy)) };
    await writeFile(paths.catalog, texts.catalog);
    await writeFile(paths.policy, texts.policy);
    const broker = await createBroker({
      catalog: parseCatalog(texts.catalog),
      policy: parsePolicy(texts.policy),
      backends: [backend],
      // It also holds entries of engines no backend here has, which is where some answers come from.
      capabilityMode: "off",
      reconcile: false,
      documents: documentFiles(paths),
      limits,
      version: "9.8.7",
    });
    this.#open.defer(() => broker.close(0));
    const socket = join(this.#folder, `${world}.sock`);
    await broker.listen({ path: socket });
    this.#sockets.set(world, socket);
  }

  #held(backend: Backend): Backend {
    const get: NonNullable<Backend["kv2"]>["get"] = async (...parameters) => {
      this.held += 1;
      await this.#gate.promise;
      this.held -= 1;
      return backend.kv2!.get(...parameters);
    };
    return { ...backend, kv2: { ...backend.kv2!, get } };
  }
}

function storeBackend(): Backend {
  return { ...memoryBackend({ id: "store" }), kind: "keystore" };
}

function unreachable(backend: Backend): Backend {
  const fail = () =>
    Promise.reject(new BackendError("UNAVAILABLE", "secret-host:8200 refused", { retryAfterMs: 1500 }));
  return {
    ...backend,
    kv2: { get: fail, put: fail, probe: fail },
    transit: { ...backend.transit!, sign: fail, publicKey: fail },
    probe: fail,
  };
}
