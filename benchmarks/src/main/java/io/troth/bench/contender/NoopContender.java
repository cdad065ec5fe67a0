package io.troth.bench.contender;

/** A contender over resources that do nothing: all that it forces is its own log. */
public interface NoopContender extends Contender {

    @Override
    default Suite suite() {
        return Suite.NOOP;
    }

    @Override
    default int logForcesClaimed() {
        return 1;
    }

    @Override
    default int databaseForcesClaimed() {
        return 0;
    }
}
