import { expect, it, vi } from "vitest";

vi.mock("koffi", () => {
  throw new Error("Cannot find the native Koffi module; did you bundle it correctly?");
});

it("loadCLibrary names the package that an install without optional dependencies left out", async () => {
  const { loadCLibrary } = await import("./c-library.js");
  const { platform, arch } = process;
  const loading = loadCLibrary();
  await expect(loading).rejects.toMatchObject({ code: "PLATFORM_UNSUPPORTED", details: { platform, arch } });
  await expect(loading).rejects.toThrow(`it is the package @koromix/koffi-${platform}-${arch}`);
});
