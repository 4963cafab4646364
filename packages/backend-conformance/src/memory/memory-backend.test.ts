import { testBackend } from "../vitest.js";
import { memoryBackend } from "./memory-backend.js";

testBackend("memory", async () => memoryBackend());
testBackend("memory, with limits", async () =>
  memoryBackend({ id: "limited", message: { min: 1, max: 4096 }, plaintext: { min: 1, max: 4096 } }),
);
