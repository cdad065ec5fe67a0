package io.troth.core.coordinator;

/** One request of a client that waits for an answer: the stream it came on and the client's own number for it. */
public record RequestId(StreamId stream, long correlation) {}
