import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";
import { decodeStatusDetails, encodeStatusDetails } from "./status-details.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const field = (tag: string, text: string) => tag + Buffer.from([text.length, ...Buffer.from(text)]).toString("hex");

describe("encodeStatusDetails", () => {
  it("writes google.rpc.Status with one Any of the exact type URL", () => {
    const info = field("0a", "UNAUTHORIZED") + field("12", "sign");
    const any = `${field("0a", "type.googleapis.com/basil.broker.v1.BrokerErrorInfo")}12${(info.length / 2).toString(16)}${info}`;
    const status = `0807${field("12", "not authorized")}1a${(any.length / 2).toString(16)}${any}`;
    expect(hex(encodeStatusDetails({ code: 7, message: "not authorized", reason: "UNAUTHORIZED", op: "sign" }))).toBe(
      status,
    );
  });
});

describe("decodeStatusDetails", () => {
  it("gives back what was encoded", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16 }),
        fc.string(),
        fc.string(),
        fc.string(),
        (code, message, reason, op) => {
          expect(decodeStatusDetails(encodeStatusDetails({ code, message, reason, op }))).toMatchObject({ reason, op });
        },
      ),
    );
  });

  it("finds nothing in a detail of another type", () => {
    const details = [create(AnySchema, { typeUrl: "type.googleapis.com/google.rpc.RetryInfo" })];
    expect(decodeStatusDetails(toBinary(StatusSchema, create(StatusSchema, { details })))).toBeUndefined();
  });

  it("finds nothing in malformed bytes, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeStatusDetails(bytes)?.reason ?? "").toBe("");
      }),
    );
  });
});
