import type { ServerAddress } from "../context";

/** A refusal of the server, or no answer at all (`status` 0). The message is a sentence to show. */
export class RequestError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
    this.name = "RequestError";
  }
}

/** URL below `api/a6hub/` of the server. */
export function apiUrl(server: ServerAddress, path: string): string {
  return `${server.base}api/a6hub/${path}`;
}

function xsrfCookie(): string | null {
  const cookie = document.cookie.split("; ").find((one) => one.startsWith("_xsrf="));
  return cookie ? cookie.slice("_xsrf=".length) : null;
}

/** What the server says against a request, in a sentence. */
export async function refusal(response: Response): Promise<string> {
  try {
    const { message, remedy } = await response.json();
    if (message) return remedy ? `${message} ${remedy}` : String(message);
  } catch {
    // A proxy's error page, no answer of ours: the status says what there is to say.
  }
  return `The server answered ${response.status} ${response.statusText}.`;
}

/** Fetches below `api/a6hub/` with the page's token and XSRF cookie; throws RequestError unless it went well. */
export async function request(
  server: ServerAddress,
  path: string,
  init: RequestInit & { headers?: Record<string, string> } = {},
): Promise<Response> {
  const headers: Record<string, string> = { ...init.headers };
  if (server.token) headers.Authorization = `token ${server.token}`;
  const xsrf = init.method && init.method !== "GET" ? xsrfCookie() : null;
  if (xsrf) headers["X-XSRFToken"] = xsrf;
  let response: Response;
  try {
    response = await fetch(apiUrl(server, path), { credentials: "same-origin", ...init, headers });
  } catch (reason) {
    if (init.signal?.aborted) throw reason;
    throw new RequestError("The Jupyter server does not answer.", 0);
  }
  if (!response.ok) throw new RequestError(await refusal(response), response.status);
  return response;
}
