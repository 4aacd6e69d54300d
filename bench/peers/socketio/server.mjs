// A chat room on Socket.IO, as its documentation has it: who shows a valid token may join rooms and
// say something in them. Nothing is stored, and membership is not looked up: what is measured is
// Socket.IO. `node server.mjs PORT`; ALLIBE_BENCH_SECRET signs the tokens (HS256), and
// ALLIBE_BENCH_REDIS is where the other servers are found, if there are any.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";

const secret = process.env.ALLIBE_BENCH_SECRET;
const redis = process.env.ALLIBE_BENCH_REDIS;

// As much of RFC 7519 as the other systems check as well: algorithm, signature, expiry, user.
function user(token) {
  const [head, claims, signature] = String(token).split(".");
  const wanted = createHmac("sha256", secret).update(`${head}.${claims}`).digest();
  const given = Buffer.from(signature ?? "", "base64url");
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new Error("signature");
  const { alg } = JSON.parse(Buffer.from(head, "base64url"));
  const { sub, exp } = JSON.parse(Buffer.from(claims, "base64url"));
  if (alg !== "HS256" || !sub || !(exp * 1000 > Date.now())) throw new Error("claims");
  return sub;
}

async function adapter() {
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const { createClient } = await import("redis");
  const publisher = createClient({ url: redis });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  return createAdapter(publisher, subscriber);
}

const http = createServer((_, response) => response.end("ready"));
const io = new Server(http, {
  transports: ["websocket"],
  serveClient: false,
  adapter: redis ? await adapter() : undefined,
});

io.use((socket, next) => {
  try {
    socket.data.user = user(socket.handshake.auth.token);
    next();
  } catch (error) {
    next(error);
  }
});

io.on("connection", (socket) => {
  // "Memory usage" in its documentation: the request of the handshake is not needed any more.
  delete socket.conn.request;
  socket.on("join", async (room, done) => {
    await socket.join(room);
    done();
  });
  socket.on("message", ({ roomId, content }) => {
    io.to(roomId).emit("message", {
      roomId,
      content,
      sender: socket.data.user,
      sentAt: new Date().toISOString(),
    });
  });
});

http.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
