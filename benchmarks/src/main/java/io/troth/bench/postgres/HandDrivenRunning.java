package io.troth.bench.postgres;

import io.troth.bench.contender.Database;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Drives the branches of each transaction itself. The statements run on the caller's thread; in each phase the caller
 * takes the last branch and helpers take the others, so that the databases work at the same time. A failure rolls back
 * what can be; what may be prepared then stays, and fails the run.
 */
final class HandDrivenRunning implements Running {

    private static final String PROBE = "SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text; ";

    private final HandDriven how;
    private final List<ConnectionShelf> shelves = new ArrayList<>();
    private final ExecutorService helpers = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "bench-helper");
        thread.setDaemon(true);
        return thread;
    });
    private final @Nullable GroupCommitFile log;

    HandDrivenRunning(HandDriven how, Environment environment) throws Exception {
        this.how = how;
        environment
                .databases()
                .forEach(database -> shelves.add(new ConnectionShelf(database, environment.connections())));
        this.log = how.logs()
                ? new GroupCommitFile(environment.newDirectory(how.name()).resolve("decisions"))
                : null;
    }

    /** One branch of one transaction. */
    private record Branch(Connection connection, String gid, boolean reads) {}

    @Override
    public void run(Work work) throws Exception {
        int[] resources = work.resources();
        List<Branch> branches = new ArrayList<>(resources.length);
        try {
            for (int resource : resources) {
                Connection connection = shelves.get(resource).take();
                branches.add(new Branch(
                        connection,
                        "bench_" + how.name() + "_" + work.number() + "_" + resource,
                        work.isReadOnly(resource)));
                connection.setAutoCommit(false);
                for (Step step : work.steps()) {
                    if (step.resource() == resource) {
                        Database.run(step, connection);
                    }
                }
            }
            end(work, branches);
        } catch (SQLException e) {
            for (Branch branch : branches) {
                if (!branch.connection().getAutoCommit()) {
                    branch.connection().rollback();
                }
            }
            throw e;
        } finally {
            for (int i = 0; i < branches.size(); i++) {
                shelves.get(resources[i]).giveBack(branches.get(i).connection());
            }
        }
    }

    private void end(Work work, List<Branch> branches) throws Exception {
        List<Branch> writers =
                branches.stream().filter(branch -> !branch.reads()).toList();
        if (!how.prepares() || branches.size() == 1) {
            inParallel(branches, branch -> branch.connection().commit());
            return;
        }
        inParallel(branches, this::prepare);
        if (writers.isEmpty()) {
            return;
        }
        if (log != null) {
            log.force(record(work, writers));
        }
        inParallel(writers, HandDrivenRunning::commitPrepared);
    }

    private void prepare(Branch branch) throws SQLException {
        if (branch.reads()) {
            branch.connection().commit();
            return;
        }
        String prepare = "PREPARE TRANSACTION '" + branch.gid() + "'";
        try (Statement statement = branch.connection().createStatement()) {
            if (!how.probes()) {
                statement.execute(prepare);
                return;
            }
            statement.execute(PROBE + prepare);
            try (ResultSet row = statement.getResultSet()) {
                if (!row.next() || row.getString(1) == null) {
                    throw new SQLException("the branch has written nothing");
                }
            }
        }
    }

    private static void commitPrepared(Branch branch) throws SQLException {
        branch.connection().setAutoCommit(true);
        try (Statement statement = branch.connection().createStatement()) {
            statement.execute("COMMIT PREPARED '" + branch.gid() + "'");
        }
    }

    /** About what a decision record needs: the names of its branches. */
    private static ByteBuffer record(Work work, List<Branch> writers) {
        StringBuilder text = new StringBuilder().append(work.number());
        writers.forEach(branch -> text.append(' ').append(branch.gid()));
        return ByteBuffer.wrap(text.append('\n').toString().getBytes(StandardCharsets.US_ASCII));
    }

    /** Something done to one branch. */
    private interface Phase {
        void run(Branch branch) throws SQLException;
    }

    private void inParallel(List<Branch> branches, Phase phase) throws Exception {
        List<Future<?>> others = new ArrayList<>(branches.size());
        for (Branch branch : branches.subList(0, branches.size() - 1)) {
            others.add(helpers.submit(() -> {
                phase.run(branch);
                return null;
            }));
        }
        SQLException failure = null;
        try {
            phase.run(branches.get(branches.size() - 1));
        } catch (SQLException e) {
            failure = e;
        }
        for (Future<?> other : others) {
            try {
                other.get();
            } catch (ExecutionException e) {
                failure = e.getCause() instanceof SQLException known ? known : new SQLException(e.getCause());
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public long forcedWrites() {
        return log == null ? 0 : log.forces();
    }

    @Override
    public void close() throws IOException, SQLException {
        helpers.shutdown();
        for (ConnectionShelf shelf : shelves) {
            shelf.close();
        }
        if (log != null) {
            log.close();
        }
    }
}
