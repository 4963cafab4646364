import { describe, expect, it } from "vitest";
import { type RoleOptions, startKmsEmulator, type UserOptions } from "./index.js";

describe("principals", () => {
  it.for([
    [{ name: "a b" }, "users[0].name"],
    [{ name: "ann", path: "team" }, "users[0].path"],
    [{ name: "ann", account: "1" }, "users[0].account"],
  ] as const)("refuse the user %j and name the place", async ([user, path]) => {
    const error = await startKmsEmulator({ users: [user as UserOptions] }).catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: "OPTION_INVALID",
      details: { path },
      message: expect.stringContaining(`${path}: must`),
    });
  });

  it("refuse a session length that no role may have", async () => {
    const roles: RoleOptions[] = [{ name: "worker" }, { name: "long", maxSessionSeconds: 50_000 }];
    await expect(startKmsEmulator({ roles })).rejects.toMatchObject({
      details: { path: "roles[1].maxSessionSeconds" },
    });
  });

  it("refuse a malformed policy and name the principal and the place in the document", async () => {
    const users = [
      { name: "ann" },
      { name: "bob", policies: [{ Version: "2012-10-17", Statement: [{ Effect: "allow" }] }] },
    ];
    await expect(startKmsEmulator({ users })).rejects.toMatchObject({
      code: "POLICY_MALFORMED",
      details: { path: "Statement[0].Effect" },
      message: 'users[1]: policy document: Statement[0].Effect must be "Allow" or "Deny", found "allow"',
    });
  });

  it("refuse names twice, and names that there are not", async () => {
    await using emulator = await startKmsEmulator({
      users: [{ name: "ann", accessKeyId: "AKIAANN", secretAccessKey: "s" }],
      roles: [{ name: "worker" }],
    });
    const { principals } = emulator;
    expect(() => principals.createUser({ name: "ann" })).toThrow(expect.objectContaining({ code: "ALREADY_EXISTS" }));
    expect(() => principals.createUser({ name: "bob", accessKeyId: "AKIAANN" })).toThrow(
      expect.objectContaining({ code: "ALREADY_EXISTS" }),
    );
    expect(() => principals.createRole({ name: "worker" })).toThrow(
      expect.objectContaining({ code: "ALREADY_EXISTS" }),
    );
    expect(() => principals.createInstanceProfile("host", "nobody")).toThrow(
      expect.objectContaining({ code: "NOT_FOUND" }),
    );
    expect(() => principals.issueSession("nobody")).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
    expect(() => principals.setPolicies("nobody", [])).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
  });

  it("ask for the ARN where a user and a role share a name", async () => {
    await using emulator = await startKmsEmulator();
    const user = emulator.principals.createUser({ name: "twin" });
    emulator.principals.createRole({ name: "twin" });
    expect(() => emulator.principals.setPolicies("twin", [])).toThrow("twin is both a user and a role; give the ARN");
    emulator.principals.setPolicies(user.arn, []);
  });
});
