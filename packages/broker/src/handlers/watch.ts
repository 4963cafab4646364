import type { Event, WatchRequest } from "@basil/proto";
import type { Call } from "../request/call.js";
import type { EndlessStream } from "../request/handler.js";

/** No filter is every kind; a kind that does not exist matches nothing. A rotation is told to those who may know the key. */
export async function watch({ kinds }: WatchRequest, call: Call): Promise<EndlessStream<Event>> {
  call.authorizeAdmin("watch");
  const wanted = new Set(kinds);
  return call.services.events.subscribe((event) => {
    if (wanted.size > 0 && !wanted.has(event.kind)) return false;
    if (event.detail.case !== "keyRotated") return true;
    return call.mayAnyNow(["list", "get_public_key", "get"], event.detail.value.keyId);
  });
}
