"""The STOMP door at `/allibe-ws`, over a real socket: DESIGN §4, sentence by sentence."""
