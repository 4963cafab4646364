import { create, equals, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AdminService,
  EncryptRequestSchema,
  SecretService,
  SigningService,
  SignRequestSchema,
} from "./gen/basil/broker/v1/broker_pb.js";
import { grpcMethods } from "./grpc-methods.js";

describe("grpcMethods", () => {
  it("names the path by package, service and method", () => {
    expect(grpcMethods(SigningService).getPublicKey.path).toBe("/basil.broker.v1.SigningService/GetPublicKey");
  });

  it("holds every method of the service", () => {
    expect(Object.keys(grpcMethods(AdminService))).toEqual([
      "status",
      "health",
      "readiness",
      "watch",
      "reload",
      "explain",
      "revoke",
    ]);
  });

  it("streams the answers of the two methods that do", () => {
    expect(grpcMethods(SecretService).listCatalog).toMatchObject({ requestStream: false, responseStream: true });
    expect(grpcMethods(AdminService).watch).toMatchObject({ requestStream: false, responseStream: true });
    expect(grpcMethods(SigningService).sign).toMatchObject({ requestStream: false, responseStream: false });
  });

  it("gives back the request it was given", () => {
    const { sign } = grpcMethods(SigningService);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.uint8Array(), (keyId, message) => {
        const request = create(SignRequestSchema, { keyId, message });
        expect(equals(SignRequestSchema, sign.requestDeserialize(sign.requestSerialize(request)), request)).toBe(true);
      }),
    );
  });

  it("reads bytes as Uint8Array, never as Buffer", () => {
    const { sign } = grpcMethods(SigningService);
    const request = create(SignRequestSchema, { message: Uint8Array.of(1) });
    expect(sign.requestDeserialize(sign.requestSerialize(request)).message).toStrictEqual(Uint8Array.of(1));
  });

  it("tells absent bytes from empty ones where the field has presence", () => {
    const absent = toBinary(EncryptRequestSchema, create(EncryptRequestSchema, {}));
    const empty = toBinary(EncryptRequestSchema, create(EncryptRequestSchema, { aad: new Uint8Array() }));
    expect([absent.length, empty.length]).toEqual([0, 2]);
  });
});
