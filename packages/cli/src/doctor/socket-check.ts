import { access, constants, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { AgentSettings } from "../config/agent-settings.js";
import { isListening } from "../listening.js";
import { quote } from "../shell-quote.js";
import { socketPathProblem } from "../socket-path.js";
import { type Check, fatal, ok, warn } from "./check.js";

const NAME = "socket";
const NO_FOLDER = "there is no such folder";

/** Whether the agent could bind its socket: length, folder, mode, group, and that nobody listens there already. */
export async function checkSocket({ socket, config }: AgentSettings): Promise<Check> {
  const { isBrokerError, requirePlatform } = await import("@basil/broker");
  try {
    await requirePlatform();
  } catch (error) {
    if (!isBrokerError(error)) throw error;
    return fatal(NAME, error.message, "install as the message says; elsewhere than on Linux and macOS no agent serves");
  }
  const problem = socketPathProblem(socket);
  if (problem !== undefined) return fatal(NAME, problem, "choose a shorter path for socket");
  const folder = dirname(socket);
  const folderMode = await stat(folder).then(
    (found) => (found.isDirectory() ? found.mode : "it is not a folder"),
    () => NO_FOLDER,
  );
  if (typeof folderMode === "string") {
    const remedy =
      folderMode === NO_FOLDER ? `create it: mkdir -p -m 0700 ${quote(folder)}` : "choose another path for socket";
    return fatal(NAME, `the folder of ${socket} cannot be used: ${folderMode}`, remedy);
  }
  if (!(await access(folder, constants.W_OK | constants.X_OK).then(yes, no))) {
    return fatal(
      NAME,
      `${folder} is not writable for this user`,
      "run the agent as the folder's owner, or choose another socket",
    );
  }
  const found = await stat(socket).catch(() => undefined);
  if (found !== undefined && !found.isSocket()) {
    return fatal(NAME, `${socket} is there and is not a socket`, "move the file away, or choose another socket");
  }
  const group = config["socket-group"];
  if (group !== undefined && !(await groupExists(group))) {
    return fatal(
      NAME,
      `socket-group is ${JSON.stringify(group)}, and there is no such group`,
      "name a group of /etc/group, or a numeric gid",
    );
  }
  if (found !== undefined && (await isListening(socket))) {
    return warn(NAME, `an agent serves on ${socket} already`, "stop it before starting another on the same socket");
  }
  const mode = config["socket-mode"];
  const shown = `0${mode.toString(8)}`;
  if ((mode & 0o002) !== 0) {
    return warn(
      NAME,
      `socket-mode is ${shown}: every local user may connect, and the policy alone decides`,
      'set socket-mode = "0660" and a socket-group, unless every user is meant',
    );
  }
  if ((folderMode & 0o002) !== 0) {
    return warn(
      NAME,
      `${folder} can be written by everybody: another user can take the socket's place`,
      "put the socket into a folder of its own, mode 0755 or narrower",
    );
  }
  return ok(NAME, `${socket}, mode ${shown}${group === undefined ? "" : `, group ${group}`}`);
}

const yes = (): boolean => true;
const no = (): boolean => false;

async function groupExists(group: string): Promise<boolean> {
  if (/^\d+$/.test(group)) return true;
  const text = await readFile("/etc/group", "utf8").catch(() => "");
  return text.split("\n").some((line) => line.split(":")[0] === group);
}
