package io.troth.chaos.bank;

/**
 * One movement of money between two banks.
 *
 * @param number unique in a run; the primary key of its row in both databases
 * @param fromAccount the account in the first bank
 * @param toAccount the account in the second bank
 * @param amount what the first account loses and the second gains; negative for the other way round
 */
public record Transfer(long number, int fromAccount, int toAccount, long amount) {

    /** The row that says, in both databases, that this transfer happened. */
    public static final String INSERT_ROW = "INSERT INTO transfer (number, account, amount) VALUES (?, ?, ?)";

    /** Refused by the database when the balance would become negative. */
    public static final String MOVE_MONEY = "UPDATE account SET balance = balance + ? WHERE number = ?";
}
