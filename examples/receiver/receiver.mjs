// A small server that receives Tencent's events. It refuses events of other applications and, with a token, events that
// Tencent has not signed with it.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

// The names of the query and the answer: those of most events, and those of the older API of calls.
const CURRENT = {
  app: "SdkAppid",
  command: "CallbackCommand",
  answer: JSON.stringify({ ActionStatus: "OK", ErrorInfo: "", ErrorCode: 0 }),
};
const LEGACY = { app: "sdkappid", command: "command", answer: JSON.stringify({ ErrorCode: 0, ErrorMessage: "Success" }) };
const MAX_BODY = 1 << 20;
const MAX_AGE = 60; // seconds

const { SDK_APP_ID: sdkAppId, CALLBACK_TOKEN: token, LISTEN: address = "127.0.0.1:8080" } = process.env;
if (!sdkAppId) {
  console.error("Set SDK_APP_ID.");
  process.exit(1);
}

const server = createServer((request, response) => {
  const reply = (status, text, type = "text/plain") => response.writeHead(status, { "Content-Type": type }).end(text);
  if (request.method !== "POST") return reply(405, "Events are posted.");
  const query = new URLSearchParams(request.url.split("?", 2)[1]);
  const names = query.has(LEGACY.app) ? LEGACY : CURRENT;
  const reason = refusal(query, names);
  if (reason) {
    console.error(`Refused an event: ${reason}`);
    return reply(403, reason);
  }
  const chunks = [];
  let size = 0;
  request.on("data", (chunk) => {
    size += chunk.length;
    if (size > MAX_BODY) request.destroy();
    else chunks.push(chunk);
  });
  request.on("error", () => {});
  request.on("end", () => {
    let event;
    try {
      event = JSON.parse(Buffer.concat(chunks).toString());
    } catch {
      return reply(400, "The event is not JSON.");
    }
    // Tencent waits two seconds: answer first, then do the work.
    reply(200, names.answer, "application/json");
    setImmediate(handle, query.get(names.command), event);
  });
});

// Says why an event with this query does not count, or nothing.
function refusal(query, { app }) {
  if (query.get(app) !== sdkAppId) return `${app} is another application's.`;
  if (!token) return undefined;
  const time = query.get("RequestTime") ?? "";
  if (!/^\d+$/.test(time) || Math.abs(Date.now() / 1000 - Number(time)) > MAX_AGE) {
    return "RequestTime is missing, or off by more than a minute.";
  }
  const expected = Buffer.from(createHash("sha256").update(token + time).digest("hex"));
  const sign = Buffer.from(query.get("Sign") ?? "");
  if (sign.length !== expected.length || !timingSafeEqual(sign, expected)) return "Sign is missing or wrong.";
  return undefined;
}

// The place for your own work. It must cope with an event that arrives twice.
function handle(command, event) {
  console.log(JSON.stringify(command), JSON.stringify(event));
}

const colon = address.lastIndexOf(":");
server.requestTimeout = 10_000;
server.listen(Number(address.slice(colon + 1)), address.slice(0, colon).replace(/^\[|\]$/g, ""), () => {
  console.log(`Listening on http://${address.slice(0, colon)}:${server.address().port}`);
});
