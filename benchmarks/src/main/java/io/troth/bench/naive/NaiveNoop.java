package io.troth.bench.naive;

import io.troth.bench.contender.Environment;
import io.troth.bench.contender.NoopContender;
import io.troth.bench.contender.Running;

/** The naive design over participants that do nothing; blocking callers, a thread each. */
public record NaiveNoop() implements NoopContender {

    @Override
    public String name() {
        return "naive-noop";
    }

    @Override
    public String description() {
        return "unary Begin, 2 Enlist, Commit, 2 Prepare, 2 Commit; one synchronous RocksDB write a decision";
    }

    @Override
    public Running open(Environment environment) throws Exception {
        return new NaiveRunning(environment);
    }
}
