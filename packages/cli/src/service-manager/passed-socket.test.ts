import { describe, expect, it } from "vitest";
import { passedSocket, passedToAnother } from "./passed-socket.js";

describe("passedSocket", () => {
  it("is descriptor 3 when one socket was passed to this process", () => {
    expect(passedSocket({ LISTEN_PID: "42", LISTEN_FDS: "1" }, 42)).toBe(3);
  });

  it.for([
    ["nothing was passed", {}],
    ["only one of the variables is there", { LISTEN_FDS: "1" }],
    ["no sockets were passed", { LISTEN_PID: "42", LISTEN_FDS: "0" }],
    ["they were passed to another process", { LISTEN_PID: "41", LISTEN_FDS: "1" }],
    ["what was passed to another process is odd", { LISTEN_PID: "41", LISTEN_FDS: "many" }],
  ] as const)("is none when %s", ([, env]) => {
    expect(passedSocket(env, 42)).toBeUndefined();
  });

  it.for([
    ["LISTEN_FDS", "2"],
    ["LISTEN_FDS", "-1"],
    ["LISTEN_FDS", "one"],
    ["LISTEN_PID", "0"],
    ["LISTEN_PID", "42x"],
    ["LISTEN_PID", ""],
  ] as const)("refuses %s=%j by name", ([variable, value]) => {
    const env = { LISTEN_PID: "42", LISTEN_FDS: "1", [variable]: value };
    expect(() => passedSocket(env, 42)).toThrow(`${variable} is ${JSON.stringify(value)}; allowed: `);
  });
});

describe("passedToAnother", () => {
  it("tells a socket that is for another process", () => {
    expect(passedToAnother({ LISTEN_PID: "41", LISTEN_FDS: "1" }, 42)).toBe(true);
    expect(passedToAnother({ LISTEN_PID: "42", LISTEN_FDS: "1" }, 42)).toBe(false);
    expect(passedToAnother({}, 42)).toBe(false);
  });
});
