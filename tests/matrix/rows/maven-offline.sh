# maven, offline, with Debian's repository of artefacts: compile and package a jar, which runs
# grade=hard group=maven time=500 memory=2500 engines="qemu auto"
mkdir -p src/main/java src/main/resources && printf 'public class M { public static void main(String[] a) throws Exception { System.out.println("maven " + java.util.List.of(1, 2, 3) + new String(M.class.getResourceAsStream("/r").readAllBytes())); } }\n' >src/main/java/M.java; printf resource >src/main/resources/r
v() { ls /usr/share/maven-repo/org/apache/maven/plugins/$1 | grep '^[0-9]' | sort -V | tail -n 1; }
p() { echo "<plugin><groupId>org.apache.maven.plugins</groupId><artifactId>$1</artifactId><version>$(v $1)</version>$2</plugin>"; }
cat >pom.xml <<X
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>a</artifactId><version>1</version>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<build><plugins>$(p maven-resources-plugin)$(p maven-compiler-plugin)$(p maven-surefire-plugin)$(p maven-jar-plugin '<configuration><archive><manifest><mainClass>M</mainClass></manifest></archive></configuration>')</plugins></build></project>
X
export JAVA_HOME=$(ls -d /usr/lib/jvm/java-*-openjdk-* | head -n 1); m="/usr/share/maven/bin/mvn -q -o -B -Dmaven.repo.local=/usr/share/maven-repo -Dmaven.test.skip=true"
$m package 2>&1 | head -n 20; $JAVA_HOME/bin/java -jar target/a-1.jar; $JAVA_HOME/bin/jar tf target/a-1.jar | grep -v / | sort
sed -i 's/List.of/Lost.of/' src/main/java/M.java; $m package 2>&1 | grep -o 'cannot find symbol' | head -n 1
