package io.troth.bench.naive;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Suite;

/** The naive design over participants that do nothing; blocking callers, a thread each. */
public record NaiveNoop() implements Contender {

    @Override
    public String name() {
        return "naive-noop";
    }

    @Override
    public String description() {
        return "unary Begin, 2 Enlist, Commit, 2 Prepare, 2 Commit; one synchronous RocksDB write a decision";
    }

    @Override
    public Suite suite() {
        return Suite.NOOP;
    }

    @Override
    public int logForcesClaimed() {
        return 1;
    }

    @Override
    public int databaseForcesClaimed() {
        return 0;
    }

    @Override
    public Running open(Environment environment) throws Exception {
        return new NaiveRunning(environment);
    }
}
