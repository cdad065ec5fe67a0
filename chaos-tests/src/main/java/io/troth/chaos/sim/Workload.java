package io.troth.chaos.sim;

import io.troth.chaos.sim.database.SqlOperation;
import io.troth.chaos.sim.database.SqlOperation.Kind;
import io.troth.chaos.sim.world.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What transactions do. Whatever the mix: numbers added in one transaction are zero in sum, and each value that is
 * appended is appended once, by one transaction. The numbers of calls are put in by those who make them.
 */
final class Workload {

    /** Few rows let transactions wait for each other, many let more of them be in doubt at once. */
    private static final int ROWS_LOG_MAX = 4;

    private static final List<Plan.Mix> KINDS =
            List.of(Plan.Mix.BANK, Plan.Mix.LISTS, Plan.Mix.ONE_PHASE, Plan.Mix.READ_ONLY, Plan.Mix.CHAIN);

    private final SplittableRandom random;
    private final List<String> resources;
    private final Plan.Mix mix;
    private final int rows;
    private long value;

    Workload(SplittableRandom random, List<String> resources, Plan.Mix mix) {
        this.random = random;
        this.resources = resources;
        this.mix = mix;
        this.rows = 1 << random.nextInt(ROWS_LOG_MAX + 1);
    }

    /** The calls of one transaction, in order. */
    List<Call.Script> next() {
        Plan.Mix kind = mix;
        if (mix == Plan.Mix.EVERYTHING) {
            kind = KINDS.get(random.nextInt(KINDS.size()));
        }
        return switch (kind) {
            case BANK, EVERYTHING -> random.nextInt(12) == 0 ? audit() : transfer();
            case LISTS -> appends(1 + random.nextInt(3));
            case ONE_PHASE -> appends(1);
            case READ_ONLY -> reads();
            case CHAIN -> chain();
        };
    }

    /** A call to each resource, which writes. */
    List<Call.Script> everywhere() {
        return resources.stream().map(resource -> script(append(resource))).toList();
    }

    private String resource() {
        return resources.get(random.nextInt(resources.size()));
    }

    private Call.Statement add(String resource, long amount) {
        return new Call.Statement(
                resource, new SqlOperation(0, 0, Kind.ADD, "account " + random.nextInt(rows), amount));
    }

    private Call.Statement append(String resource) {
        return new Call.Statement(
                resource, new SqlOperation(0, 0, Kind.APPEND, "list " + random.nextInt(rows), ++value));
    }

    private Call.Statement read(String resource) {
        String key = (random.nextBoolean() ? "account " : "list ") + random.nextInt(rows);
        Kind kind = random.nextInt(3) == 0 ? Kind.READ_LOCKED : Kind.READ;
        return new Call.Statement(resource, new SqlOperation(0, 0, kind, key, 0));
    }

    private static Call.Script script(Call.Statement... statements) {
        return new Call.Script(List.of(statements), null);
    }

    private List<Call.Script> transfer() {
        long amount = random.nextLong(1, 101);
        String from = resource();
        String to = resource();
        List<Call.Script> calls = new ArrayList<>();
        if (random.nextInt(4) == 0) {
            calls.add(script(read(resource())));
        }
        calls.add(random.nextBoolean() ? script(add(from, -amount)) : script(read(from), add(from, -amount)));
        calls.add(script(add(to, amount)));
        return calls;
    }

    private List<Call.Script> appends(int count) {
        List<Call.Script> calls = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String resource = resource();
            calls.add(random.nextBoolean() ? script(append(resource)) : script(read(resource), append(resource)));
        }
        return calls;
    }

    /** All balances, under lock: they must add up. */
    private List<Call.Script> audit() {
        List<Call.Script> calls = new ArrayList<>();
        for (String resource : resources) {
            List<Call.Statement> reads = new ArrayList<>();
            for (int row = 0; row < rows; row++) {
                reads.add(new Call.Statement(resource, new SqlOperation(0, 0, Kind.READ_LOCKED, "account " + row, 0)));
            }
            calls.add(new Call.Script(reads, null));
        }
        return calls;
    }

    private List<Call.Script> reads() {
        if (random.nextInt(4) == 0) {
            return audit();
        }
        List<Call.Script> calls = new ArrayList<>();
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            calls.add(script(read(resource())));
        }
        if (random.nextInt(3) == 0) {
            calls.add(script(append(resource())));
        }
        return calls;
    }

    /** One service calls another one, which may call a third. */
    private List<Call.Script> chain() {
        long amount = random.nextLong(1, 101);
        Call.Script last = script(add(resource(), amount));
        Call.Script middle = random.nextBoolean() ? new Call.Script(List.of(append(resource())), last) : last;
        Call.Script first = new Call.Script(List.of(add(resource(), -amount)), middle);
        return random.nextInt(3) == 0 ? List.of(script(read(resource())), first) : List.of(first);
    }
}
