package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.DatabaseIdRow;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Goal: for every code that an XA driver can answer at every call, the action is the one that loses nothing: a code that
 * can mean two things is never taken as an outcome (protocol 10.2). Method: an XAResource that answers what the table
 * says; the table is complete, since it lists every constant of XAException and some that are none.
 */
class XaErrorTableTest {

    private static final int[] CODES = {
        0,
        42,
        XAException.XA_RBROLLBACK,
        XAException.XA_RBCOMMFAIL,
        XAException.XA_RBDEADLOCK,
        XAException.XA_RBINTEGRITY,
        XAException.XA_RBOTHER,
        XAException.XA_RBPROTO,
        XAException.XA_RBTIMEOUT,
        XAException.XA_RBTRANSIENT,
        XAException.XA_NOMIGRATE,
        XAException.XA_HEURHAZ,
        XAException.XA_HEURCOM,
        XAException.XA_HEURRB,
        XAException.XA_HEURMIX,
        XAException.XA_RETRY,
        XAException.XA_RDONLY,
        XAException.XAER_ASYNC,
        XAException.XAER_RMERR,
        XAException.XAER_NOTA,
        XAException.XAER_INVAL,
        XAException.XAER_PROTO,
        XAException.XAER_RMFAIL,
        XAException.XAER_DUPID,
        XAException.XAER_OUTSIDE
    };

    /** What the lying driver answers: a code for a call, nothing for success. */
    private final Map<String, Integer> failures = new TreeMap<>();

    private final List<String> calls = new ArrayList<>();
    private final List<Xid> listed = new ArrayList<>();
    private final TrothXid xid = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
    private int vote = XAResource.XA_OK;

    private Object lie(String call) throws XAException {
        if (!call.equals("recover")) {
            calls.add(call);
        }
        Integer code = failures.get(call);
        if (code != null) {
            XAException failure = new XAException("lie");
            failure.errorCode = code;
            throw failure;
        }
        return switch (call) {
            case "prepare" -> vote;
            case "recover" -> listed.toArray(new Xid[0]);
            default -> null;
        };
    }

    @SuppressWarnings("unchecked")
    private static <T> T fake(Class<T> type, java.lang.reflect.InvocationHandler handler) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    private XaDriver driver() {
        XAResource resource = fake(XAResource.class, (self, method, arguments) -> lie(method.getName()));
        Connection handle = fake(Connection.class, (self, method, arguments) -> switch (method.getName()) {
            case "isClosed" -> false;
            case "getAutoCommit" -> true;
            case "getMetaData" -> DatabaseIdRow.metaData();
            case "createStatement" ->
                fake(
                        Statement.class,
                        (its, call, values) -> call.getName().equals("executeQuery") ? DatabaseIdRow.rows() : null);
            default -> null;
        });
        XAConnection physical = fake(XAConnection.class, (self, method, arguments) -> switch (method.getName()) {
            case "getConnection" -> handle;
            case "getXAResource" -> resource;
            default -> null;
        });
        XADataSource source = fake(XADataSource.class, (self, method, arguments) -> physical);
        return new XaDriver(source, false, java.time.Clock.systemUTC());
    }

    private static boolean isRollback(int code) {
        return code >= XAException.XA_RBBASE && code <= XAException.XA_RBEND;
    }

    private interface Row {
        void check(int code) throws Exception;
    }

    private static Stream<DynamicTest> table(String call, java.util.function.Supplier<Row> row) {
        return java.util.Arrays.stream(CODES)
                .mapToObj(code -> DynamicTest.dynamicTest(
                        call + " answers " + code, () -> row.get().check(code)));
    }

    /** Each row starts with a driver that has told no lie yet. */
    private XaErrorTableTest lying(String call, int code) {
        XaErrorTableTest fresh = new XaErrorTableTest();
        fresh.failures.put(call, code);
        return fresh;
    }

    private BranchTransaction begin(XaDriver driver, Connection connection) throws Exception {
        return driver.begin(connection, xid, new BranchStart(1_000, BranchStart.DEFAULT_ISOLATION));
    }

    @TestFactory
    Stream<DynamicTest> endBeforePrepareNeverLeadsToYesAndNothingIsPrepared() {
        return table("end", () -> code -> {
            XaErrorTableTest lie = lying("end", code);
            XaDriver driver = lie.driver();
            Connection connection = driver.physicalConnections().getConnection();
            PrepareResult result = lie.begin(driver, connection).prepare(true);
            assertEquals(PrepareResult.Kind.REFUSED, result.kind());
            assertEquals(List.of("start", "end", "rollback"), lie.calls);
        });
    }

    @TestFactory
    Stream<DynamicTest> aFailedPrepareIsRolledBackOrInDoubt() {
        return table("prepare", () -> code -> {
            XaErrorTableTest lie = lying("prepare", code);
            lie.failures.put("rollback", XAException.XAER_RMFAIL);
            XaDriver driver = lie.driver();
            Connection connection = driver.physicalConnections().getConnection();
            PrepareResult result = lie.begin(driver, connection).prepare(true);
            assertEquals(isRollback(code) ? PrepareResult.Kind.REFUSED : PrepareResult.Kind.LOST, result.kind());
            assertEquals(code != XAException.XAER_DUPID, lie.calls.contains("rollback"));
            assertFalse(driver.isClean(connection), "nobody may reuse a session that may still hold the branch");

            XaErrorTableTest mended = lying("prepare", code);
            driver = mended.driver();
            connection = driver.physicalConnections().getConnection();
            result = mended.begin(driver, connection).prepare(true);
            boolean certain = code != XAException.XAER_DUPID;
            assertEquals(certain ? PrepareResult.Kind.REFUSED : PrepareResult.Kind.LOST, result.kind());
            assertEquals(certain, driver.isClean(connection));
        });
    }

    @Test
    void aVoteThatIsNoneIsInDoubt() throws Exception {
        vote = 7;
        XaDriver driver = driver();
        Connection connection = driver.physicalConnections().getConnection();
        assertEquals(
                PrepareResult.Kind.LOST, begin(driver, connection).prepare(true).kind());
        assertFalse(driver.isClean(connection));
        vote = XAResource.XA_RDONLY;
        connection = driver.physicalConnections().getConnection();
        assertEquals(
                PrepareResult.Kind.READ_ONLY,
                begin(driver, connection).prepare(true).kind());
        assertTrue(driver.isClean(connection));
    }

    @TestFactory
    Stream<DynamicTest> aOnePhaseCommitIsUnknownUnlessTheCodeCanMeanOneThingOnly() {
        return table("commit", () -> code -> {
            XaErrorTableTest lie = lying("commit", code);
            XaDriver driver = lie.driver();
            Connection connection = driver.physicalConnections().getConnection();
            OnePhaseFate fate =
                    lie.begin(driver, connection).commitOnePhase(proof -> {}).fate();
            OnePhaseFate expected = isRollback(code) || code == XAException.XA_HEURRB
                    ? OnePhaseFate.ROLLED_BACK
                    : code == XAException.XA_HEURCOM ? OnePhaseFate.COMMITTED : OnePhaseFate.LOST;
            assertEquals(expected, fate);
            assertFalse(driver.isClean(connection));
        });
    }

    @TestFactory
    Stream<DynamicTest> phaseTwoCommitsAreDoneOnlyWhenTheDatabaseSaysSo() {
        return table("commit", () -> code -> {
            XaErrorTableTest lie = lying("commit", code);
            XaDriver driver = lie.driver();
            Connection connection = driver.physicalConnections().getConnection();
            boolean heuristic = isRollback(code)
                    || code == XAException.XA_HEURRB
                    || code == XAException.XA_HEURMIX
                    || code == XAException.XA_HEURHAZ;
            PhaseTwoCompletion.Kind expected = heuristic
                    ? PhaseTwoCompletion.Kind.HEURISTIC
                    : code == XAException.XA_HEURCOM
                            ? PhaseTwoCompletion.Kind.DONE
                            : code == XAException.XAER_NOTA
                                    ? PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE
                                    : PhaseTwoCompletion.Kind.NOT_YET;
            assertEquals(
                    expected,
                    driver.commitPrepared(connection, lie.xid, null, true).kind());
            // "Not known" of a branch that is listed is another session's.
            lie.listed.add(lie.xid);
            if (code == XAException.XAER_NOTA) {
                assertEquals(
                        PhaseTwoCompletion.Kind.NOT_YET,
                        driver.commitPrepared(connection, lie.xid, null, true).kind());
                // And when the list fails, nothing is known.
                lie.failures.put("recover", XAException.XAER_RMERR);
                assertEquals(
                        PhaseTwoCompletion.Kind.NOT_YET,
                        driver.commitPrepared(connection, lie.xid, null, false).kind());
            }
            assertFalse(lie.calls.contains("forget"));
        });
    }

    @TestFactory
    Stream<DynamicTest> phaseTwoRollbacksAreDoneOnlyWhenTheDatabaseSaysSo() {
        return table("rollback", () -> code -> {
            XaErrorTableTest lie = lying("rollback", code);
            XaDriver driver = lie.driver();
            Connection connection = driver.physicalConnections().getConnection();
            boolean heuristic =
                    code == XAException.XA_HEURCOM || code == XAException.XA_HEURMIX || code == XAException.XA_HEURHAZ;
            boolean done = isRollback(code) || code == XAException.XA_HEURRB || code == XAException.XAER_NOTA;
            PhaseTwoCompletion.Kind expected = heuristic
                    ? PhaseTwoCompletion.Kind.HEURISTIC
                    : done ? PhaseTwoCompletion.Kind.DONE : PhaseTwoCompletion.Kind.NOT_YET;
            assertEquals(
                    expected, driver.rollbackPrepared(connection, lie.xid, null).kind());
        });
    }

    @TestFactory
    Stream<DynamicTest> aRollbackThatIsNotCertainLeavesASessionThatNobodyReuses() {
        return table("rollback", () -> code -> {
            XaErrorTableTest lie = lying("rollback", code);
            XaDriver driver = lie.driver();
            Connection connection = driver.physicalConnections().getConnection();
            boolean rolledBack = lie.begin(driver, connection).rollback();
            assertEquals(isRollback(code), rolledBack);
            assertEquals(isRollback(code), driver.isClean(connection));
            assertEquals(List.of("start", "end", "rollback"), lie.calls);
        });
    }
}
