package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.jdbc.SqlErrors;
import io.troth.chaos.bank.Transfer;
import io.troth.client.GlobalTransaction;
import io.troth.client.RolledBackException;
import io.troth.client.TransactionOptions;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.UnexpectedRollbackException;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Goal: what docs/DATABASES.md says about Spring. Method: JdbcTemplate and transaction managers over the data sources of two
 * embedded agents, whose databases tell how each transfer ended.
 */
class SpringTest {

    private static Stack stack;

    private final Transfer transfer = Banks.transfer();
    private final TransactionTemplate global = new TransactionTemplate(new TrothTransactionManager(stack.client()));

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.start("Spring");
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @AfterEach
    void nothingIsLeft() {
        assertTrue(GlobalTransaction.current().isEmpty());
        stack.banks().awaitNothingPrepared();
    }

    private static DataSource source(String bank) {
        return stack.agent(bank).dataSource(bank);
    }

    private static void work(Transfer transfer, String bank) {
        int account = bank.equals(Banks.A) ? transfer.fromAccount() : transfer.toAccount();
        long amount = bank.equals(Banks.A) ? -transfer.amount() : transfer.amount();
        JdbcTemplate template = new JdbcTemplate(source(bank));
        template.update(Transfer.INSERT_ROW, transfer.number(), account, amount);
        template.update(Transfer.MOVE_MONEY, amount, account);
    }

    private static void work(Transfer transfer) {
        work(transfer, Banks.A);
        work(transfer, Banks.B);
    }

    private static TransactionTemplate template(PlatformTransactionManager manager, int propagation) {
        TransactionTemplate template = new TransactionTemplate(manager);
        template.setPropagationBehavior(propagation);
        return template;
    }

    private static void refused(ErrorCode code, Executable call) {
        Exception refused = assertThrows(Exception.class, call);
        assertEquals(code, SqlErrors.reasonOf(refused).code(), refused::toString);
    }

    @Test
    void unitsOfSpringAreGlobalTransactions() {
        global.executeWithoutResult(unit -> {
            work(transfer, Banks.A);
            global.executeWithoutResult(joined -> work(transfer, Banks.B));
            assertFalse(stack.banks().has(Banks.A, transfer));
        });
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));
    }

    @Test
    void anExceptionRollsBack() {
        IllegalStateException thrown = assertThrows(
                IllegalStateException.class,
                () -> global.executeWithoutResult(unit -> {
                    work(transfer);
                    throw new IllegalStateException("on purpose");
                }));
        assertEquals("on purpose", thrown.getMessage());
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer));
    }

    @Test
    void theCommitOfAFailedBranchSaysWhy() {
        UnexpectedRollbackException rolledBack = assertThrows(
                UnexpectedRollbackException.class,
                () -> global.executeWithoutResult(unit -> {
                    work(transfer);
                    assertThrows(DataAccessException.class, () -> work(transfer, Banks.B));
                }));
        assertEquals(ErrorCode.STATEMENT_FAILED, SqlErrors.reasonOf(rolledBack).code());
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer));
    }

    @Test
    void aUnitJoinsATransactionOfTheClientAndCanOnlySpoilIt() {
        stack.client().inTransaction(tx -> global.executeWithoutResult(unit -> work(transfer)));
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));

        Transfer spoilt = Banks.transfer();
        RolledBackException rolledBack = assertThrows(
                RolledBackException.class,
                () -> stack.client().inTransaction(tx -> {
                    work(spoilt, Banks.A);
                    global.executeWithoutResult(unit -> {
                        work(spoilt, Banks.B);
                        unit.setRollbackOnly();
                    });
                }));
        assertEquals(ErrorCode.ROLLBACK_ONLY, rolledBack.code());
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(spoilt));
    }

    @Test
    void suspendedUnitsEndAlone() {
        PlatformTransactionManager manager = global.getTransactionManager();
        TransactionTemplate separate = template(manager, TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        TransactionTemplate local = template(manager, TransactionDefinition.PROPAGATION_NOT_SUPPORTED);
        Transfer other = Banks.transfer();
        Transfer third = Banks.transfer();
        global.executeWithoutResult(unit -> {
            separate.executeWithoutResult(inner -> work(other));
            local.executeWithoutResult(inner -> work(third));
            work(transfer);
            unit.setRollbackOnly();
        });
        assertEquals(Outcome.COMMITTED, stack.banks().ending(other));
        assertEquals(Outcome.COMMITTED, stack.banks().ending(third));
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer));
    }

    /** What Hibernate has not written yet, for example. */
    @Test
    void whatWaitsToBeWrittenIsWrittenBeforeTheCommit() {
        global.executeWithoutResult(unit -> onFlush(() -> work(transfer)));
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));

        Transfer joined = Banks.transfer();
        stack.client().inTransaction(tx -> global.executeWithoutResult(unit -> onFlush(() -> work(joined))));
        assertEquals(Outcome.COMMITTED, stack.banks().ending(joined));
    }

    @Test
    void whatCannotBeWrittenRollsBack() {
        assertThrows(
                IllegalStateException.class,
                () -> global.executeWithoutResult(unit -> {
                    work(transfer);
                    onFlush(() -> {
                        throw new IllegalStateException("on purpose");
                    });
                }));
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer));
    }

    private static void onFlush(Runnable writing) {
        TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
            @Override
            public void flush() {
                writing.run();
            }
        });
    }

    @Test
    void whatADatabaseCouldNotSerializeIsRunAgain() {
        List<GlobalTxId> ids = new ArrayList<>();
        stack.client().inTransaction(TransactionOptions.DEFAULTS.withRetries(1), tx -> {
            ids.add(tx.id());
            work(transfer, Banks.A);
            if (ids.size() == 1) {
                new JdbcTemplate(source(Banks.B)).execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
            }
            work(transfer, Banks.B);
        });
        assertEquals(2, ids.size());
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));
    }

    @Test
    void aManagerOfOneDataSourceIsRefusedInside() {
        TransactionTemplate local = new TransactionTemplate(new DataSourceTransactionManager(source(Banks.A)));
        refused(
                ErrorCode.TRANSACTION_CONTROL_REFUSED,
                () -> stack.client().inTransaction(tx -> local.executeWithoutResult(unit -> work(transfer))));
        refused(
                ErrorCode.OPENED_OUTSIDE_TRANSACTION,
                () -> local.executeWithoutResult(unit -> stack.client().inTransaction(tx -> work(transfer))));
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer));
    }

    @Test
    void outsideAManagerOfOneDataSourceWorksAsOverAnyPool() {
        DataSource source = source(Banks.A);
        TransactionTemplate local = new TransactionTemplate(new DataSourceTransactionManager(source));
        local.setIsolationLevel(TransactionDefinition.ISOLATION_SERIALIZABLE);
        assertEquals("serializable", local.execute(unit -> {
            work(transfer, Banks.A);
            unit.setRollbackOnly();
            return new JdbcTemplate(source).queryForObject("SHOW transaction_isolation", String.class);
        }));
        assertFalse(stack.banks().has(Banks.A, transfer));
        assertNull(new JdbcTemplate(source).execute((Connection connection) -> {
            assertTrue(connection.getAutoCommit());
            assertEquals(Connection.TRANSACTION_READ_COMMITTED, connection.getTransactionIsolation());
            return null;
        }));
    }
}
