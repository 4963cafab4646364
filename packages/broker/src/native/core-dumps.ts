/** RLIMIT_CORE of <sys/resource.h>, the same on Linux and macOS. */
const RLIMIT_CORE = 4;
/** prctl(2): not dumpable means no core file, and no debugger of the same user attached. */
const PR_SET_DUMPABLE = 4;

/**
 * Keeps the memory of this process, which holds credentials, from being written to a core file.
 *
 * @returns False where the platform does not let us.
 */
export async function disableCoreDumps(): Promise<boolean> {
  try {
    const { default: koffi } = await import("koffi");
    const library = koffi.load(null);
    const limits = koffi.struct({ rlim_cur: "uint64_t", rlim_max: "uint64_t" });
    const setrlimit = library.func("setrlimit", "int", ["int", koffi.pointer(limits)]);
    const limited = setrlimit(RLIMIT_CORE, { rlim_cur: 0, rlim_max: 0 }) === 0;
    if (process.platform !== "linux") return limited;
    const prctl = library.func("prctl", "int", ["int", "ulong", "ulong", "ulong", "ulong"]);
    // A core piped to a handler is not held to RLIMIT_CORE (core(5)), so both are needed.
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) === 0 && limited;
  } catch {
    return false;
  }
}
