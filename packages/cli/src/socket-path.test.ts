import { platform } from "node:os";
import { describe, expect, it } from "vitest";
import { clientSocketPath, defaultSocketPath, socketPathProblem } from "./socket-path.js";

const limit = platform() === "linux" ? 107 : 103;
const pathOf = (folder: number, name: number) => `/${"f".repeat(folder - 1)}/${"n".repeat(name)}`;

describe("socketPathProblem", () => {
  it.for([
    ["as long as the system takes", pathOf(limit - 11, 10), undefined],
    ["one byte longer", pathOf(limit - 11, 11), limit + 1],
    ["a short name in a folder where the agent's own would not fit", pathOf(limit - 10, 1), limit + 1],
    ["bytes, not characters", `/${"é".repeat(limit / 2)}/s`, 1 + 2 * Math.floor(limit / 2) + 11],
  ] as const)("measures %s", ([, path, needed]) => {
    const problem = socketPathProblem(path);
    if (needed === undefined) expect(problem).toBeUndefined();
    else expect(problem).toContain(`it needs ${needed} bytes while it is made, at most ${limit} are allowed`);
  });
});

describe("clientSocketPath", () => {
  it("is the flag's, then the environment's, then the runtime folder's, then /run/basil's", () => {
    expect(clientSocketPath({ socket: "a" }, { BASIL_SOCKET: "b" })).toBe("a");
    expect(clientSocketPath({}, { BASIL_SOCKET: "b", XDG_RUNTIME_DIR: "/run/user/7" })).toBe("b");
    expect(clientSocketPath({}, { BASIL_SOCKET: "", XDG_RUNTIME_DIR: "/run/user/7" })).toBe(
      "/run/user/7/basil/agent.sock",
    );
    expect(defaultSocketPath({})).toBe("/run/basil/agent.sock");
  });
});
