package io.troth.chaos;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The chaos side uses Troth as its users do, and the core as it is. Reads the compiled classes. */
@AnalyzeClasses(packages = "io.troth.chaos", importOptions = ArchitectureTest.WithoutTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule THE_CLIENTS_INSIDE_IS_NOT_OURS = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.troth.client.internal..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES =
            slices().matching("io.troth.(**)").should().beFreeOfCycles().allowEmptyShould(true);

    /** Leaves the tests out, also those of a quick build. */
    static final class WithoutTests implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("/test-classes/");
        }
    }
}
