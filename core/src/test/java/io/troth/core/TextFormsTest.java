package io.troth.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Goal: each identifier has one text form, which is read back; whatever is not exactly that is refused. */
class TextFormsTest {

    private static final EpochId EPOCH = new EpochId(3, 0x0123_4567_89ab_cdefL);
    private static final GlobalTxId TX = new GlobalTxId(2, EPOCH, 5, Long.MAX_VALUE);
    private static final String TX_TEXT = "2.3.0123456789abcdef.5.9223372036854775807";
    private static final BranchId BRANCH = new BranchId(0xfedc_ba98_7654_3210L, 0x1f);
    private static final String BRANCH_TEXT = "fedcba9876543210000000000000001f";
    private static final SessionKey KEY = new SessionKey(1, -1);
    private static final String KEY_TEXT = "0000000000000001ffffffffffffffff";

    private static <T> void readsOnly(String text, T value, Function<String, T> parse) {
        assertEquals(value, parse.apply(text));
        for (int i = 0; i < text.length(); i++) {
            String shorter = text.substring(0, i) + text.substring(i + 1);
            String other = text.substring(0, i) + '/' + text.substring(i + 1);
            assertThrows(IllegalArgumentException.class, () -> parse.apply(other), other);
            if (text.charAt(i) == '.' || text.indexOf('.') < 0) {
                assertThrows(IllegalArgumentException.class, () -> parse.apply(shorter), shorter);
            }
        }
        assertThrows(IllegalArgumentException.class, () -> parse.apply(text + " "));
        assertThrows(IllegalArgumentException.class, () -> parse.apply(""));
    }

    @Test
    void aTransaction() {
        assertEquals(TX_TEXT, TX.toString());
        readsOnly(TX_TEXT, TX, GlobalTxId::parse);
        assertEquals(new GlobalTxId(0, new EpochId(1, 0), 1, 1), GlobalTxId.parse("0.1.0000000000000000.1.1"));
        assertEquals(
                Integer.MAX_VALUE,
                GlobalTxId.parse("2147483647.1.0000000000000000.1.1").shard());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2147483648.1.0000000000000000.1.1",
                "0.0.0000000000000000.1.1",
                "0.1.0000000000000000.0.1",
                "0.1.0000000000000000.1.0",
                "0.1.0000000000000000.1.01",
                "0.1.0000000000000000.1.-1",
                "0.1.0000000000000000.1.9223372036854775808",
                "0.1.0000000000000000.1.10000000000000000000",
                "0.1.0000000000000000.1.18446744073709551617",
                "0.1.000000000000000A.1.1",
                "0.1.000000000000000g.1.1",
                "0.1.00000000000000000.1.1"
            })
    void noTransaction(String text) {
        assertThrows(IllegalArgumentException.class, () -> GlobalTxId.parse(text));
    }

    @Test
    void transactionsAreOrderedByAllTheirParts() {
        EpochId later = new EpochId(4, 0);
        List<GlobalTxId> ordered = List.of(
                new GlobalTxId(0, new EpochId(1, 1), 1, 1),
                new GlobalTxId(0, new EpochId(1, 1), 1, 2),
                new GlobalTxId(0, new EpochId(1, 1), 2, 1),
                new GlobalTxId(0, new EpochId(1, -1), 1, 1),
                new GlobalTxId(0, later, 1, 1),
                new GlobalTxId(1, new EpochId(1, 1), 1, 1));
        List<GlobalTxId> sorted = new ArrayList<>(ordered);
        Collections.reverse(sorted);
        Collections.sort(sorted);
        assertEquals(ordered, sorted);
        assertEquals(0, TX.compareTo(GlobalTxId.parse(TX_TEXT)));
    }

    @Test
    void aTransactionHasAShardASessionAndASequence() {
        assertThrows(IllegalArgumentException.class, () -> new GlobalTxId(-1, EPOCH, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new GlobalTxId(0, EPOCH, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> new GlobalTxId(0, EPOCH, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> new EpochId(0, 1));
    }

    @Test
    void aBranch() {
        assertEquals(BRANCH_TEXT, BRANCH.toString());
        readsOnly(BRANCH_TEXT, BRANCH, BranchId::parse);
        assertTrue(new BranchId(1, 2).compareTo(new BranchId(1, 1)) > 0);
        assertTrue(new BranchId(1, 2).compareTo(new BranchId(1, -1)) < 0, "unsigned");
        assertTrue(new BranchId(1, 2).compareTo(new BranchId(-1, 1)) < 0, "unsigned");
        assertEquals(0, BRANCH.compareTo(BranchId.parse(BRANCH_TEXT)));
    }

    @Test
    void aSessionKeyWhichIsSaidOnTheWireOnly() {
        assertEquals(KEY_TEXT, KEY.reveal());
        readsOnly(KEY_TEXT, KEY, SessionKey::parse);
        assertFalse(KEY.toString().contains("f"), KEY.toString());
        assertEquals(KEY.hashCode(), SessionKey.parse(KEY_TEXT).hashCode());
        assertNotEquals(KEY, new SessionKey(0, -1));
        assertNotEquals(KEY, new SessionKey(1, 0));
        assertFalse(KEY.equals(null));
    }

    @Test
    void sessionKeysSpreadInAHashTable() {
        assertNotEquals(new SessionKey(1, 2).hashCode(), new SessionKey(2, 1).hashCode());
        assertNotEquals(new SessionKey(1, 2).hashCode(), new SessionKey(1, 3).hashCode());
    }

    @Test
    void aCluster() {
        assertEquals("00000000000000ff", new ClusterId(255).toString());
        readsOnly("8000000000000000", new ClusterId(Long.MIN_VALUE), ClusterId::parse);
    }

    @Test
    void aResourceNameIsPlain() {
        for (String name : List.of("a", "z", "A", "Z", "0", "9", ".", "_", "-", "x".repeat(255))) {
            assertEquals(name, ResourceName.check(name));
        }
        for (String name : List.of("", "`", "{", "@", "[", "/", ":", "a b", "ä", "a\n", "x".repeat(256))) {
            assertThrows(IllegalArgumentException.class, () -> ResourceName.check(name), name);
        }
    }

    @Test
    void theHeader() {
        TransactionContext context = new TransactionContext(new ClusterId(7), TX, KEY, 9, 0);
        String text = "1;0000000000000007;" + TX_TEXT + ";" + KEY_TEXT + ";9;0";
        assertEquals(text, context.encode());
        assertEquals(context, TransactionContext.parse(text));
        assertFalse(context.toString().contains(KEY_TEXT));
        assertTrue(context.toString().contains(TX_TEXT));
        assertThrows(IllegalArgumentException.class, () -> TransactionContext.parse("2" + text.substring(1)));
        assertThrows(IllegalArgumentException.class, () -> TransactionContext.parse(text + ";"));
        assertThrows(
                IllegalArgumentException.class,
                () -> TransactionContext.parse(text.substring(0, text.lastIndexOf(';'))));
        assertThrows(IllegalArgumentException.class, () -> new TransactionContext(new ClusterId(7), TX, KEY, -1, 0));
        assertThrows(IllegalArgumentException.class, () -> new TransactionContext(new ClusterId(7), TX, KEY, 0, -1));
        // Read as far as the limit, where its fields say what is wrong; beyond it nothing is read.
        assertFalse(refusal("1".repeat(TransactionContext.LENGTH_MAX), TransactionContext::parse)
                .contains("longer"));
        assertTrue(refusal("1".repeat(TransactionContext.LENGTH_MAX + 1), TransactionContext::parse)
                .contains("longer"));
    }

    @Test
    void theTrailer() {
        BranchId other = new BranchId(1, 1);
        BranchList list =
                new BranchList(true, List.of(new BranchWork(BRANCH, "accounts", 2), new BranchWork(other, "books", 1)));
        String text = "1;r;" + other + ":books:1," + BRANCH_TEXT + ":accounts:2";
        assertEquals(text, list.encode());
        assertEquals(list, BranchList.parse(text));
        assertEquals("1;;", BranchList.EMPTY.encode());
        assertEquals(BranchList.EMPTY, BranchList.parse("1;;"));
        assertEquals(
                Integer.MAX_VALUE,
                BranchList.parse("1;;" + BRANCH_TEXT + ":a:2147483647")
                        .branches()
                        .get(0)
                        .calls());
        assertFalse(
                refusal("1".repeat(BranchList.LENGTH_MAX), BranchList::parse).contains("longer"));
        assertTrue(refusal("1".repeat(BranchList.LENGTH_MAX + 1), BranchList::parse)
                .contains("longer"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "2;;",
                "1;",
                "1;;;",
                "1;x;",
                "1;rr;",
                "1;;,",
                "1;;fedcba9876543210000000000000001f:a",
                "1;;fedcba9876543210000000000000001f:a:1:1",
                "1;;fedcba9876543210000000000000001f:a:0",
                "1;;fedcba9876543210000000000000001f:a:2147483648",
                "1;;fedcba9876543210000000000000001f::1"
            })
    void noTrailer(String text) {
        assertThrows(IllegalArgumentException.class, () -> BranchList.parse(text));
    }

    @Test
    void listsAddUp() {
        BranchList one = new BranchList(false, List.of(new BranchWork(BRANCH, "accounts", 2)));
        BranchList two = new BranchList(true, List.of(new BranchWork(BRANCH, "accounts", 3)));
        assertEquals(new BranchList(true, List.of(new BranchWork(BRANCH, "accounts", 5))), one.plus(two));
        assertEquals(new BranchList(true, List.of(new BranchWork(BRANCH, "accounts", 5))), two.plus(one));
        assertFalse(one.plus(one).rollbackOnly());
        BranchList elsewhere = new BranchList(false, List.of(new BranchWork(BRANCH, "books", 1)));
        assertThrows(IllegalArgumentException.class, () -> one.plus(elsewhere));
        assertThrows(
                ArithmeticException.class,
                () -> one.plus(new BranchList(false, List.of(new BranchWork(BRANCH, "accounts", Integer.MAX_VALUE)))));
    }

    @Test
    void aProofHasOneToSixtyFourBytesOfItsOwn() {
        byte[] bytes = {1, 2};
        Proof proof = Proof.of(bytes);
        bytes[0] = 9;
        proof.toByteArray()[1] = 9;
        assertEquals(Proof.of(new byte[] {1, 2}), proof);
        assertEquals(Proof.of(new byte[] {1, 2}).hashCode(), proof.hashCode());
        assertNotEquals(proof, Proof.of(new byte[] {1, 3}));
        assertNotEquals(proof.hashCode(), Proof.of(new byte[] {1, 3}).hashCode());
        assertFalse(proof.equals(null));
        assertEquals("Proof[2 bytes]", proof.toString());
        assertEquals(64, Proof.of(new byte[64]).toByteArray().length);
        assertThrows(IllegalArgumentException.class, () -> Proof.of(new byte[0]));
        assertThrows(IllegalArgumentException.class, () -> Proof.of(new byte[65]));
    }

    @Test
    void aReasonIsACodeAndAtMostAThousandCharacters() {
        assertEquals("INTERNAL", Reason.of(ErrorCode.INTERNAL).toString());
        assertEquals("INTERNAL: why", new Reason(ErrorCode.INTERNAL, "why").toString());
        assertEquals(
                1_000,
                new Reason(ErrorCode.INTERNAL, "x".repeat(1_000)).detail().length());
        assertEquals(
                1_000,
                new Reason(ErrorCode.INTERNAL, "x".repeat(1_001)).detail().length());
        Throwable cause = new IllegalStateException();
        TrothException thrown = new TrothException(new Reason(ErrorCode.INTERNAL, "why"), cause);
        assertEquals("INTERNAL: why", thrown.getMessage());
        assertEquals(ErrorCode.INTERNAL, thrown.code());
        assertEquals("why", thrown.reason().detail());
        assertEquals(cause, thrown.getCause());
    }

    private static String refusal(String text, Function<String, ?> parse) {
        return String.valueOf(assertThrows(IllegalArgumentException.class, () -> parse.apply(text))
                .getMessage());
    }
}
