package io.troth.chaos.stack;

/** What costs, at the coordinator, beside the entries themselves. */
enum Cost {
    MESSAGES_FROM_CLIENTS("gRPC messages from clients"),
    MESSAGES_TO_CLIENTS("gRPC messages to clients"),
    MESSAGES_FROM_AGENTS("gRPC messages from agents"),
    MESSAGES_TO_AGENTS("gRPC messages to agents"),
    TO_THE_LOG("hand-overs to the thread of the log"),
    FROM_THE_LOG("hand-overs from the thread of the log"),
    /** What streams and engine tell each other: none, because they share a thread. */
    FROM_STREAM_TO_ENGINE("hand-overs from a stream's thread to the engine's"),
    FROM_ENGINE_TO_STREAM("hand-overs from the engine's thread to a stream's");

    private final String text;

    Cost(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
