package io.troth.chaos.sim.database;

import io.troth.agent.xa.TrothXid;
import io.troth.chaos.sim.check.BranchFacts;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The part of PostgreSQL that the agent's driver talks to: it understands the driver's own statements, by what they ask
 * for, and refuses any other. A failed transaction answers PREPARE TRANSACTION and COMMIT with a silent rollback.
 */
final class PostgresBackend {

    static final String ROLE = "troth";
    static final String DATABASE = "bank";
    private static final long DATABASE_OID = 16_384;
    private static final int VERSION = 180_000;

    /** Of every session; the driver has heard of the same one, since there is no pooler. */
    static final int PID = 4_711;

    private static final String MARKER = "current_setting('troth.branch', true) OPERATOR(pg_catalog.=) $1";
    private static final String START =
            "transaction_timestamp()) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8 OPERATOR(pg_catalog.=) $2";
    private static final String USER = "current_user::pg_catalog.text OPERATOR(pg_catalog.=) '" + ROLE + "'";
    private static final Pattern ARGUMENTS = Pattern.compile("\\('([^']*)', (\\d+)\\)");
    private static final Pattern COMPLAINT = Pattern.compile("concat\\('([^']*)'");
    private static final Pattern QUOTED = Pattern.compile("'([^']*)'");
    private static final Pattern PREFIX = Pattern.compile("gid OPERATOR\\(pg_catalog\\.~~\\) '(\\d+)\\\\_%'");

    /** What the driver shows of the state of the transaction. */
    enum Status {
        IDLE,
        OPEN,
        FAILED
    }

    private final SimulatedServer server;
    private final ServerSession session;

    PostgresBackend(SimulatedServer server, ServerSession session) {
        this.server = server;
        this.session = session;
    }

    Status status() {
        ServerTransaction transaction = session.transaction;
        if (transaction == null) {
            return Status.IDLE;
        }
        return transaction.failed ? Status.FAILED : Status.OPEN;
    }

    /** BEGIN, as the driver puts it in front of a statement. */
    void begin() {
        server.begin(session);
    }

    /** COMMIT. Returns false when the server has rolled back instead. */
    boolean commit() {
        ServerTransaction transaction = session.transaction;
        session.transaction = null;
        if (transaction == null || transaction.failed) {
            return false;
        }
        if (transaction.writes.isEmpty()) {
            server.happened(DatabaseFault.READ_ONLY_BRANCH);
        }
        server.commit(transaction, BranchFacts.Ending.AGENT);
        return true;
    }

    void rollback() {
        ServerTransaction transaction = session.transaction;
        session.transaction = null;
        if (transaction != null && !transaction.isOver()) {
            server.rollback(transaction, BranchFacts.Ending.AGENT);
        }
    }

    /** Runs a message of one or more statements; the answer is the first one's. */
    List<List<Object>> execute(String message, List<String> parameters) throws SQLException {
        String[] statements = message.split("; ", 2);
        List<List<Object>> rows;
        try {
            rows = statement(statements[0], parameters);
            if (statements.length > 1) {
                List<List<Object>> unused = statement(statements[1], List.of());
            }
        } catch (SQLException e) {
            ServerTransaction transaction = session.transaction;
            if (transaction != null && !transaction.failed) {
                transaction.failed = true;
                server.rollback(transaction, BranchFacts.Ending.DATABASE);
            }
            throw e;
        }
        return rows;
    }

    private List<List<Object>> statement(String sql, List<String> parameters) throws SQLException {
        if (sql.startsWith("PREPARE TRANSACTION")) {
            prepare(quoted(sql));
            return List.of();
        }
        if (status() == Status.FAILED) {
            throw new SQLException("current transaction is aborted, commands ignored", "25P02");
        }
        if (sql.startsWith("COMMIT PREPARED") || sql.startsWith("ROLLBACK PREPARED")) {
            finish(quoted(sql), sql.startsWith("COMMIT"));
            return List.of();
        }
        return query(sql, parameters);
    }

    private List<List<Object>> query(String sql, List<String> parameters) throws SQLException {
        if (sql.contains("FROM pg_catalog.pg_prepared_xacts") && server.strikes(DatabaseFault.LIST_REFUSED)) {
            throw new SQLException("out of memory", "53200");
        }
        if (sql.startsWith("SET synchronous_commit")) {
            return List.of();
        }
        if (sql.startsWith("PREPARE troth_probe")) {
            session.probe = sql;
            return List.of();
        }
        if (sql.startsWith("EXECUTE troth_probe")) {
            return row(probe(sql), 0);
        }
        if (sql.startsWith("SELECT pg_catalog.set_config('troth.branch'")) {
            return row(parameters.get(0), parameters.get(1), parameters.get(2), "on", began(parameters), "0");
        }
        if (sql.startsWith("SELECT pg_catalog.set_config('synchronous_commit'")) {
            return row("on");
        }
        if (sql.contains("pg_xact_status")) {
            return row(status(Long.parseUnsignedLong(parameters.get(0))));
        }
        if (sql.startsWith("SELECT pg_catalog.pg_backend_pid()")) {
            return row(PID, session.probe != null);
        }
        if (sql.startsWith("SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_prepared_statements")) {
            return row(session.probe != null);
        }
        if (sql.startsWith("SELECT 1 FROM pg_catalog.pg_prepared_xacts")) {
            return server.preparedAs(parameters.get(0)) == null ? List.of() : row(1);
        }
        if (sql.startsWith("SELECT gid")) {
            return list(sql);
        }
        if (sql.startsWith("SELECT c.system_identifier")) {
            TransactionIds ids = server.ids();
            return row(ids.systemIdentifier, ids.timeline, DATABASE_OID, ids.lifeMicros, DATABASE, ROLE, 0, 0, 0);
        }
        if (sql.contains("'max_prepared_transactions'")) {
            return row(VERSION, server.settings.slots(), server.settings.flushes() ? "on" : "off", "on", false);
        }
        if (sql.startsWith("SELECT pg_catalog.pg_current_xact_id()")) {
            return row(Long.toString(server.idOf(running())));
        }
        throw new SQLException("the simulated server does not understand: " + sql, "42601");
    }

    private static List<List<Object>> row(@Nullable Object... columns) {
        // Arrays.asList, since a column may be null.
        @SuppressWarnings("NullAway")
        List<Object> row = Arrays.asList(columns);
        return List.of(row);
    }

    private ServerTransaction running() throws SQLException {
        ServerTransaction transaction = session.transaction;
        if (transaction == null) {
            throw new SQLException("there is no transaction in progress", "25P01");
        }
        return transaction;
    }

    private long began(List<String> parameters) throws SQLException {
        ServerTransaction transaction = running();
        session.marker = parameters.get(0);
        // The backstop: the session ends when nobody has ended the transaction in its time.
        long backstop = Long.parseLong(parameters.get(1).replace("ms", ""));
        server.world.schedule(TimeUnit.MILLISECONDS.toNanos(backstop), () -> {
            if (session.open && session.transaction == transaction) {
                server.end(session);
            }
        });
        return session.startMicros;
    }

    /** Null when the transaction has no id. Fails when the transaction is not the one that the probe names. */
    private @Nullable String probe(String call) throws SQLException {
        String prepared = session.probe;
        Matcher arguments = ARGUMENTS.matcher(call);
        if (prepared == null || !arguments.find()) {
            throw new SQLException("prepared statement \"troth_probe\" does not exist", "26000");
        }
        // What the probe does not ask for holds.
        boolean own = session.transaction != null
                && (!prepared.contains(MARKER) || arguments.group(1).equals(session.marker))
                && (!prepared.contains(START) || arguments.group(2).equals(Long.toString(session.startMicros)))
                && prepared.contains(USER);
        if (!own) {
            Matcher complaint = COMPLAINT.matcher(prepared);
            throw new SQLException(
                    "invalid input syntax for type integer: \"" + (complaint.find() ? complaint.group(1) : "")
                            + session.marker + "\"",
                    "22P02");
        }
        long id = running().id;
        return id == 0 ? null : Long.toUnsignedString(id);
    }

    private void prepare(String gid) throws SQLException {
        ServerTransaction transaction = session.transaction;
        session.transaction = null;
        if (transaction == null || transaction.failed) {
            // The tag of the answer is ROLLBACK, and there is no error.
            return;
        }
        if (server.strikes(DatabaseFault.PREPARE_REFUSED)) {
            server.rollback(transaction, BranchFacts.Ending.DATABASE);
            throw new SQLException("a deferred constraint does not hold", "23503");
        }
        if (!server.hasFreeSlot()) {
            server.happened(DatabaseFault.SLOTS_EXHAUSTED);
            server.rollback(transaction, BranchFacts.Ending.DATABASE);
            throw new SQLException("maximum number of prepared transactions reached", "53200");
        }
        if (server.preparedAs(gid) != null) {
            server.rollback(transaction, BranchFacts.Ending.DATABASE);
            throw new SQLException("transaction identifier \"" + gid + "\" is already in use", "42710");
        }
        TrothXid xid = XidText.parse(gid);
        if (xid != null) {
            server.isBranch(transaction, xid.tx(), xid.branch());
        }
        server.prepare(transaction, gid, null);
    }

    private void finish(String gid, boolean commit) throws SQLException {
        ServerTransaction transaction = server.preparedAs(gid);
        if (transaction == null) {
            throw new SQLException("prepared transaction with identifier \"" + gid + "\" does not exist", "42704");
        }
        server.finishPrepared(transaction, commit, BranchFacts.Ending.AGENT);
    }

    private List<List<Object>> list(String sql) {
        Matcher prefix = PREFIX.matcher(sql);
        String wanted = prefix.find() ? prefix.group(1) + "_" : "";
        // What is younger than ten minutes is nobody's left-over.
        boolean onlyOld = sql.contains("interval");
        List<List<Object>> rows = new ArrayList<>();
        for (String gid : server.preparedXids()) {
            ServerTransaction prepared = server.preparedAs(gid);
            if (prepared != null && gid.startsWith(wanted) && !onlyOld) {
                long id = prepared.id;
                rows.add(List.of(
                        gid,
                        Long.toString(id & 0xFFFF_FFFFL),
                        Long.toString(server.ids().snapshotEnd())));
            }
            if (XidText.isStrangers(gid)) {
                server.happened(DatabaseFault.FOREIGN_XID_LISTED);
            }
        }
        return rows;
    }

    private String status(long id) throws SQLException {
        if (server.ids().isFuture(id)) {
            throw new SQLException("transaction ID " + id + " is in the future", "22023");
        }
        ServerTransaction.State state = server.stateOfId(id);
        if (state == null) {
            return "aborted";
        }
        return switch (state) {
            case COMMITTED -> "committed";
            case ROLLED_BACK -> "aborted";
            case ACTIVE, PREPARED -> "in progress";
        };
    }

    private static String quoted(String sql) {
        Matcher matcher = QUOTED.matcher(sql);
        return matcher.find() ? matcher.group(1) : "";
    }
}
