// Requests to our own server, with the CSRF token and readable errors.

/** An answer that was not a success; `message` is for the user when the server gave one. */
export class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function csrfToken(root = document) {
  return root.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

export async function getJson(url, options = {}) {
  const response = await fetch(url, {
    credentials: "same-origin",
    headers: { Accept: "application/json" },
    ...options,
  });
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

/** POST (or another `method`) of a JSON body; answers the JSON body or null. */
export async function sendJson(url, body, { method = "POST", keepalive = false } = {}) {
  const response = await fetch(url, {
    method,
    keepalive,
    credentials: "same-origin",
    headers: {
      Accept: "application/json",
      "Content-Type": "application/json",
      "X-CSRFToken": csrfToken(),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json().catch(() => null);
}

export async function problemOf(response) {
  const problem = await response.json().catch(() => ({}));
  return new HttpError(response.status, problem.detail ?? "");
}
