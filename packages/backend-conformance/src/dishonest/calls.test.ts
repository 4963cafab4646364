import { setTimeout as sleep } from "node:timers/promises";
import type { TransitEngine } from "@basil/core";
import { claims, fail, kv2, testLies, transit, withoutContext } from "./lie.js";

testLies([
  [
    "works for a caller that is gone",
    "cancellation",
    /^sign: a call whose caller/,
    transit((honest) => ({
      sign: (key, message) => honest.sign(key, message, withoutContext),
    })),
  ],
  [
    "makes a key for a caller that is gone",
    "cancellation",
    /^createKey: a call whose caller/,
    transit((honest) => ({
      createKey: async (key, context) => {
        await honest.createKey(key, withoutContext);
        return honest.createKey({ ...key, path: `${key.path}-more` }, context);
      },
    })),
  ],
  [
    "works past the deadline",
    "cancellation",
    /^encrypt: a call past its deadline/,
    transit((honest) => ({
      encrypt: (key, plaintext, aad) => honest.encrypt(key, plaintext, aad, withoutContext),
    })),
  ],
  [
    "probes past the deadline",
    "cancellation",
    /^probe: a call past its deadline/,
    (honest) => ({
      ...honest,
      probe: (key) => honest.probe(key, withoutContext),
    }),
  ],
  [
    "does not hear an abort on its way",
    "cancellation",
    /^sign: a call that is aborted/,
    transit((honest) => ({
      sign: async (key, message, context) => {
        await sleep(500);
        return honest.sign(key, message, context);
      },
    })),
  ],
  [
    "fails outside the contract when it is aborted",
    "cancellation",
    /^sign: a call that is aborted/,
    transit((honest) => ({
      sign: async (key, message, context) => {
        await sleep(100, undefined, { signal: context.signal });
        return honest.sign(key, message, context);
      },
    })),
  ],
  [
    "mixes up calls in flight",
    "concurrency",
    /^calls in flight/,
    (honest) => {
      let current: Parameters<TransitEngine["sign"]>[0];
      return transit((engine) => ({
        sign: async (key, message, context) => {
          current = key;
          await sleep(1);
          return engine.sign(current, message, context);
        },
      }))(honest);
    },
  ],
  [
    "mixes up encryptions in flight",
    "concurrency",
    /^encryptions in flight/,
    (honest) => {
      let current: Uint8Array;
      return transit((engine) => ({
        encrypt: async (key, plaintext, aad, context) => {
          current = plaintext;
          await sleep(1);
          return engine.encrypt(key, current, aad, context);
        },
      }))(honest);
    },
  ],
  [
    "has an engine it does not claim, seen by its rules",
    "kv2",
    /^a probe tells/,
    claims(() => ({ engines: ["transit"] })),
  ],
  [
    "answers with an empty value where none is",
    "kv2",
    /^a value or version/,
    kv2((honest) => ({
      get: (path, context, options) =>
        honest.get(path, context, options).catch(() => ({ value: new Uint8Array(), version: 0, resource: "x" })),
    })),
  ],
  [
    "loses the value",
    "kv2",
    /^what is put/,
    kv2((honest) => ({
      put: (path, _value, context) => honest.put(path, Uint8Array.of(9), context),
    })),
  ],
  [
    "writes over what is there",
    "kv2",
    /^a put that only creates/,
    kv2((honest) => ({ put: (path, value, context) => honest.put(path, value, context) })),
  ],
  [
    "looks before it writes, and not while",
    "kv2",
    /^a put that only creates/,
    kv2((honest) => ({
      put: async (path, value, context, { createOnly } = {}) => {
        const { state } = await honest.probe(path, context);
        return createOnly && state === "present" ? fail("KEY_EXISTS") : honest.put(path, value, context);
      },
    })),
  ],
  [
    "gives the value that it keeps",
    "kv2",
    /^what is put/,
    kv2((honest) => {
      let kept: Uint8Array | undefined;
      return {
        get: async (path, context, options) => {
          const got = await honest.get(path, context, options);
          kept ??= got.value;
          return { ...got, value: kept };
        },
      };
    }),
  ],
  ["finds no value", "kv2", /^a probe tells/, kv2(() => ({ probe: async () => ({ state: "absent" }) }))],
  [
    "writes for a caller that is gone",
    "kv2",
    /^a call whose caller/,
    kv2((honest) => ({ put: (path, value) => honest.put(path, value, withoutContext) })),
  ],
]);
