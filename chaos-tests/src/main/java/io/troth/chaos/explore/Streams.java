package io.troth.chaos.explore;

import io.troth.core.coordinator.StreamId;

/** Names of the streams between agents and leaders; each is a bit, because leaders remember which they have seen. */
final class Streams {

    private final int lives;
    private final int epochs;
    private final int streams;

    /** One epoch, and in each epoch one stream, more than the scope has: for the time in which nothing fails any more. */
    Streams(Scope scope) {
        lives = scope.lives + 1;
        epochs = scope.epochs + 1;
        streams = scope.streams + 1;
        if (scope.agents.size() * lives * epochs * streams > Long.SIZE) {
            throw new IllegalArgumentException(scope.name + " has more streams than a long has bits");
        }
    }

    /** Number of the {@code k}th stream from the instance in its {@code life} to the leader of the epoch. */
    int number(int agent, int life, int epoch, int k) {
        return ((agent * lives + life) * epochs + epoch - 1) * streams + k;
    }

    int agent(int number) {
        return number / streams / epochs / lives;
    }

    int life(int number) {
        return number / streams / epochs % lives;
    }

    int epoch(int number) {
        return number / streams % epochs + 1;
    }

    /** The last one of an epoch: not for the exploration. */
    int spare(int agent, int life, int epoch) {
        return number(agent, life, epoch, streams - 1);
    }

    long bit(int number) {
        return 1L << number;
    }

    static StreamId id(int number) {
        return new StreamId(number + 1L);
    }

    static int number(StreamId id) {
        return (int) id.value() - 1;
    }
}
